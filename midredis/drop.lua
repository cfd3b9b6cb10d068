-- Deletes a token that was refused, and no other.
--
-- KEYS[1] is the token, ARGV[1] the mark of the one that was refused.
local token = redis.call('GET', KEYS[1])
if token and string.sub(token, 1, 32) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
