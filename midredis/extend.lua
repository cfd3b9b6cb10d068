-- Lets a lock live on, if the caller has it still.
--
-- KEYS[1] is the lock.
-- ARGV[1] is the caller's nonce, ARGV[2] the life of its lock in milliseconds.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
