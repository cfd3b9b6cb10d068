-- Takes permits for a process, and notes what it has learned since it last asked.
--
-- KEYS[1] is the account's quota, a hash:
--   clock         the time of the latest call
--   tat           when the plan's bucket is full again, as GCRA keeps it
--   left, reset   what the server reported to be left, and until when
--   limit         of the server's window
--   bucket        1 if the server keeps a bucket, whose reset each request puts off;
--                 0 if it counts by windows, and -1 before its first report
--   from, had     the reset and the rest of the report that others are compared with
--   silent        1 if the answers report nothing
--   pause         until when a 429 stops all
--   p:ID          a process: when it last asked, until when it may be silent, what it
--                 has outstanding, whether it wanted any, how many it has had lately
-- Times are in microseconds. Those in the hash are points on Redis' own clock, those of
-- arguments and results are durations.
--
-- ARGV is: 1 the process, 2 the plan's interval, 3 its burst, 4 how many permits it
-- wants, 5 how many it has outstanding: in its hands or on their way, 6 how many it
-- gives back, 7 how many answers reported nothing, 8 the pause of a 429, 9 what an
-- answer reported to be left or -1, 10 for how long, 11 the limit, 12 whether that
-- answer is a new one, 13 what the process knows of the bucket, 14 the age of the
-- answer, 15 how long until the last permit in its hands may be used.
--
-- Returns {permits, how long until the first may be used, how long to wait without
-- permits, processes, bucket, how long until the plan has another permit for anyone, how
-- long all are to pause}. The first is negative for a permit of the burst. Each further
-- permit may be used an interval later.
local alive, ahead, late, far, patience = 5000000, 1000000, 1500000, 62000000, 250000
local longest = 120000000 -- wait of a caller
local me, interval, burst = 'p:' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local want, out, back, mute = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local pause, remaining, resets, limit = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local fresh, age, held = ARGV[12] == '1', tonumber(ARGV[14]), tonumber(ARGV[15])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local s, processes = {}, {}
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  local of = string.sub(entries[i], 1, 2) == 'p:' and processes or s
  of[entries[i]] = entries[i + 1]
end
for name, value in pairs(s) do
  s[name] = tonumber(value)
end
-- The clock goes back if it is set, or if a replica takes over whose clock is behind.
local set = math.max((s.clock or now) - now, 0)
if set < 1000000 then
  set = 0
end
for _, name in ipairs({'tat', 'reset', 'pause', 'from'}) do
  s[name] = s[name] and s[name] - set
end
local bucket = tonumber(ARGV[13])
if s.bucket and s.bucket >= 0 then
  bucket = s.bucket
end

local total, n, all = out, 1, 1 -- n of all want any
local mine, theirs = 0, 0
-- What a process has had fades in the time that the bucket takes to fill, and not
-- within a window.
local fade = burst * interval
if bucket ~= 1 then
  fade = math.max(fade, far)
end
for name, value in pairs(processes) do
  local seen, silence, has, wanted, had = string.match(value, '^(%d+) (%d+) (%d+) (%d) ([%d.]+)$')
  local lately = seen and had * math.exp(math.min(seen - set - now, 0) / fade) or 0
  silence = silence and silence - set
  if name == me then
    mine = lately
  elseif not seen or now > silence then
    redis.call('HDEL', KEYS[1], name) -- it has ended, or died
  else
    if set > 0 then
      redis.call('HSET', KEYS[1], name, string.format('%.0f %.0f %s %s %s', seen - set, silence, has, wanted, had))
    end
    total, all = total + tonumber(has), all + 1
    -- One that has not come back when it was due has what it wanted.
    if wanted == '1' and now <= silence - alive + patience then
      n, theirs = n + 1, theirs + lately
    end
  end
end
mine = math.max(mine - back, 0)

-- A request reaches the server later than Redis counts it, so that the server's bucket
-- may lag behind. Some tokens are left in it for that.
local margin = math.min(burst - 1, math.max(1, math.ceil(250000 / interval)))
local tau = (burst - 1 - margin) * interval
-- A bucket that is full gains nothing from a permit that goes back.
local tat = math.max((s.tat or 0) - math.min(back * interval, tau), now)
local left, reset, silent = s.left, s.reset, s.silent or 0
if reset and now >= reset then
  reset, left = nil, s.limit
end

if remaining >= 0 and resets > 0 then
  silent = 0
  local at = now + resets
  -- A server whose limit is the plan's burst keeps a bucket, as it seems. If many
  -- requests do not put its reset off, it counts by windows.
  if bucket < 0 then
    bucket = limit == burst and 1 or 0
  elseif limit == burst and reset and at > reset + late and now < reset - 2 * late then
    bucket = 1
  end
  if bucket == 1 and fresh then
    if not s.from or at > s.from + late then
      s.from, s.had = at, remaining
    elseif at > s.from - late and (s.had - remaining) * interval > 2 * late then
      bucket, reset, left = 0, nil, nil
    end
  end
  if bucket == 1 then
    if fresh or not s.tat then
      -- The server may have counted what is outstanding, so it is not taken off
      -- again. If Redis knows nothing it is: too few are safer than too many.
      local uncounted = s.tat and 0 or total
      tat = math.max(tat, now + tau - (remaining - margin - uncounted - 1) * interval - age)
    end
  elseif not reset then
    reset, left, s.limit = at, math.min(left or remaining, remaining), limit
  elseif math.abs(at - reset) <= late then
    reset, left = math.min(reset, at), math.min(left or remaining, remaining)
  elseif at > reset then
    reset, left, s.limit = at, remaining, limit
  end
end
if mute > 0 then
  if left then
    left = math.max(left - mute, 0)
  else
    silent = 1
  end
end
local paused = s.pause or 0
if pause > 0 then
  paused = math.max(paused, now + pause)
  if resets > 2 * late and resets - pause < 2000000 then
    bucket = 0 -- a bucket has room again long before its reset
  end
end

local granted, first, wait = 0, 0, 0
if now < paused then
  wait = paused - now
elseif want > 0 then
  local room = math.huge
  if bucket ~= 1 and silent ~= 1 then
    -- Before any report a few ask what there is.
    room = (left or math.min(math.max(4, n), burst)) - total
  end
  local horizon = math.max(ahead, n * interval)
  local even = math.max(1, math.floor(horizon / interval / n))
  -- A process that had less than the others may take what it lacks at once, and then
  -- up to twice its part until it has caught up. One that had more leaves what there
  -- is to the others, and goes on at the plan's rate.
  local instant = math.max(math.floor((now - (tat - tau)) / interval) + 1, 0)
  local lacks = (math.min(instant, room) + mine + theirs) / n - mine
  local behind = math.min(even, math.max(0, math.floor((mine + theirs) / n - mine)))
  local slots = math.floor((now + horizon - (tat - tau)) / interval) + 1 + behind
  if room <= 0 then
    wait = 30000
    if left and left <= 0 and reset then
      wait = reset - now
    end
  elseif slots <= 0 then
    wait = tat - tau - horizon - now
  else
    local share = even + behind
    first = tat - tau - now
    if lacks > 0 then
      share = math.max(share, math.floor(lacks))
    elseif instant > 0 then
      first = interval
    end
    if room < math.huge then
      share = math.min(share, room, math.max(math.floor(lacks), 1))
    end
    granted = math.min(want, slots, share)
    tat = tat + granted * interval
  end
end

local function text(number) return string.format('%.0f', number) end
-- It asks again when its last permit may be used, or its wait is over.
local busy = held
if granted > 0 then
  busy = math.max(busy, first + (granted - 1) * interval)
elseif want > 0 then
  busy = math.max(busy, math.min(wait, longest))
end
redis.call('HSET', KEYS[1], 'clock', text(now), 'tat', text(tat), 'bucket', bucket, 'silent', silent, 'pause', text(paused),
  me, string.format('%.0f %.0f %.0f %d %.3f', now, now + busy + alive, out + granted, want > 0 and 1 or 0, mine + granted))
if s.from then
  redis.call('HSET', KEYS[1], 'from', text(s.from), 'had', s.had)
end
if left then
  redis.call('HSET', KEYS[1], 'left', text(left), 'limit', text(s.limit or left))
end
if reset then
  redis.call('HSET', KEYS[1], 'reset', text(reset))
else
  redis.call('HDEL', KEYS[1], 'reset')
end
local kept = math.max(tat, reset or now, paused) - now
redis.call('PEXPIRE', KEYS[1], 300000 + math.ceil(kept / 1000))
return {granted, first, wait, all, bucket, math.max(tat - tau - now, 0), math.max(paused - now, 0)}
