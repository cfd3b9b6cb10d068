-- Claims an event.
--
-- KEYS[1] is the event, KEYS[2] the account's latest fencing token.
-- ARGV[1] is the claim's nonce, ARGV[2] the lease in milliseconds.
--
-- Returns the fencing token: more than zero. Returns 0 if the event is handled,
-- and -1 if another claim lives.
local entry = redis.call('GET', KEYS[1])
if entry then
  local state, fence, nonce = string.match(entry, '^(%a+) (%d+) (%w+)$')
  if state == 'done' then
    return 0
  end
  if nonce == ARGV[1] then -- the client sent the script twice
    return tonumber(fence)
  end
  return -1
end

-- The time makes the tokens grow even if Redis has lost its data.
local time = redis.call('TIME')
local fence = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('GET', KEYS[2]) or 0) + 1)
local text = string.format('%.0f', fence)
redis.call('SET', KEYS[2], text, 'EX', 86400)
redis.call('SET', KEYS[1], 'held ' .. text .. ' ' .. ARGV[1], 'PX', ARGV[2])
return fence
