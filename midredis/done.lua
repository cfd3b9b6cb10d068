-- Marks an event as handled, if the claim still holds it.
--
-- KEYS[1] is the event.
-- ARGV[1] is the claim's fencing token and nonce, ARGV[2] how long the mark is
-- kept, in milliseconds.
--
-- Returns 1, or 0 if the claim is lost.
local entry = redis.call('GET', KEYS[1])
if entry == 'done ' .. ARGV[1] then -- the client sent the script twice
  return 1
end
if entry ~= 'held ' .. ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], 'done ' .. ARGV[1], 'PX', ARGV[2])
return 1
