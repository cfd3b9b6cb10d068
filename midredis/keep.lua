-- Keeps a token that was fetched, and ends the lock, if the caller has it still.
--
-- KEYS[1] is the token, KEYS[2] the lock.
-- ARGV[1] is the caller's nonce, ARGV[2] the token, ARGV[3] its life in
-- milliseconds, or 0 if it does not expire.
if ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('DEL', KEYS[2])
end
return 1
