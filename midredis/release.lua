-- Deletes a key, if it has the value that the caller gave it.
--
-- KEYS[1] is the key, ARGV[1] the value.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
