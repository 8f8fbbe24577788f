-- What take.lua and give.lua have in common; it is put before each of them.
--
-- The counters of an account (or of the site) are one hash, KEYS[1]: a bucket's name -> "since
-- used", as counters.py explains them; `minute`: the latest one in which anything was taken or
-- given back; `begun`: the instant at which the hash was made, which tells it from one that
-- was lost (flushed, evicted); and `rebuilt`: the same instant, if it took the place of a lost one.
-- Every instant is Unix time in whole microseconds, and every number stays below 2^53, where
-- Lua's doubles are exact.

local SECOND = 1000000
local MINUTE = 60 * SECOND
local DAY = 86400 * SECOND
local FIRST_MONDAY = 4 * DAY
local LENGTH = { minute = MINUTE, hour = 3600 * SECOND, day = DAY, week = 7 * DAY }

-- Seconds. Counters outlive the longest window, a month, whatever is claimed next.
local KEEP = 40 * 86400
-- Seconds for which a repeated or belated call is recognised.
local REMEMBER = 600
local CLOSED = 'closed'

-- The civil calendar from days since 1970-01-01, for years of 365.2425 days that begin in March
-- (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
local function month_start(now)
  local day = math.floor(now / DAY)
  local of_era = (day + 719468) % 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524)
    - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  return (day - of_year + math.floor((153 * month + 2) / 5)) * DAY
end

local function window_start(window, now)
  if window == 'month' then
    return month_start(now)
  end
  local first = window == 'week' and FIRST_MONDAY or 0
  return now - (now - first) % LENGTH[window]
end

-- Fields of the hash that are read before the counters.
local FIELDS = 3

-- The claims from ARGV[from] on, four arguments each, and what is stored for them.
local function read(from)
  local claims, names = {}, { 'minute', 'begun', 'rebuilt' }
  for i = from, #ARGV, 4 do
    local burst = tonumber(ARGV[i + 3])
    claims[#claims + 1] = {
      name = ARGV[i],
      window = ARGV[i + 1],
      amount = tonumber(ARGV[i + 2]),
      capacity = burst > 0 and burst or tonumber(ARGV[i + 2]),
      unit = burst > 0 and MINUTE or 1,
    }
    names[#names + 1] = ARGV[i]
  end
  return claims, redis.call('HMGET', KEYS[1], unpack(names))
end

-- The server's time, moved by an offset. A clock that steps back stays in the latest minute in
-- which anything changed: a window that has closed never opens again.
local function clock(offset, minute)
  local time = redis.call('TIME')
  return math.max(time[1] * SECOND + time[2] + offset, tonumber(minute or 0) * SECOND)
end

local function advance(claim, since, used, now)
  if claim.unit == 1 then
    local start = window_start(claim.window, now)
    if since == nil or since < start then
      return start, 0
    end
  elseif since == nil then
    return now, 0
  elseif since < now then
    return now, math.max(0, used - (now - since) * claim.amount)
  end
  return since, used
end

-- A stored counter as it stands now.
local function current(claim, stored, now)
  local since, used
  if stored then
    since, used = string.match(stored, '^(%d+) (%d+)$')
  end
  return advance(claim, tonumber(since), tonumber(used), now)
end

-- The earliest instant at which a unit can have been taken that the counter holds now.
local function reaches_back_to(claim, now)
  if claim.unit == 1 then
    return window_start(claim.window, now)
  end
  return now - claim.capacity * MINUTE / claim.amount
end

local function numbers_in(text)
  local numbers = {}
  for number in string.gmatch(text, '-?%d+') do
    numbers[#numbers + 1] = tonumber(number)
  end
  return numbers
end

local function pair(since, used)
  return string.format('%.0f %.0f', since, used)
end

-- Stores counters (name, counter, name, counter ...) as they stand at a moment.
local function write(changed, now, latest)
  local minute = (now - now % MINUTE) / SECOND
  if minute > tonumber(latest or 0) then
    changed[#changed + 1], changed[#changed + 2] = 'minute', string.format('%.0f', minute)
  end
  redis.call('HSET', KEYS[1], unpack(changed))
  redis.call('EXPIRE', KEYS[1], KEEP)
end
