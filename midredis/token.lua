-- Returns the account's token, or the right to fetch one.
--
-- KEYS[1] is the token, KEYS[2] the lock of those who fetch.
-- ARGV[1] is the caller's nonce, ARGV[2] the life of its lock in milliseconds,
-- ARGV[3] the mark of a token that it does not want, or an empty string.
--
-- Returns {1, token, milliseconds left}, where -1 is for ever; {0} if the caller
-- has the lock now, and {2} if another has it.
local token = redis.call('GET', KEYS[1])
if token and string.sub(token, 1, 32) ~= ARGV[3] then
  return {1, token, redis.call('PTTL', KEYS[1])}
end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return {0}
end
if redis.call('GET', KEYS[2]) == ARGV[1] then -- the client sent the script twice
  return {0}
end
return {2}
