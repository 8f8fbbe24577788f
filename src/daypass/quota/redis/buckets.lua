-- Code shared by take.lua and give.lua; it is prepended to both.
--
-- The counters of an account (or of the site) are one hash, KEYS[1]. Its fields are
--   a bucket's name: "since used reign"; see Counter in counters.py for the first two;
--   minute: the latest minute in which anything was taken or given back;
--   begun: when the hash was created, which tells it from a lost one;
--   rebuilt: the same instant, if the hash replaced a lost one;
--   home: "run reign since": the run id of the server that holds the hash, and when its reign
--     began, in the server's time and in the ledger's. A server with another run id may have lost
--     the latest writes (a promoted replica, a restart), so counters of an earlier reign are
--     compared with the usage records before use;
--   lost: "reign units": the units missing from the account's day when compared in that reign;
--   taking:NAME, takings: normally stored under KEYS[2]; see `remember`.
-- Every instant is Unix time in whole microseconds, and every number stays below 2^53, where
-- Lua's doubles are exact. A reign and `valid until` are in the server's time, all other instants
-- in the ledger's (the server's plus the clock offset).
--
-- The first six arguments of both scripts: the call's name ('': read-only), valid until, the
-- server's run id, when this process connected to it, 1 if the process used another server before,
-- and the clock offset.

local SECOND = 1000000
local MINUTE = 60 * SECOND
local DAY = 86400 * SECOND
local FIRST_MONDAY = 4 * DAY
local LENGTH = { minute = MINUTE, hour = 3600 * SECOND, day = DAY, week = 7 * DAY }

-- Seconds. Counters must outlive the longest window, a month.
local KEEP = 40 * 86400
-- Seconds for which a repeated or late call is recognised: longer than any call is valid.
local REMEMBER = 600
local CLOSED = 'closed'

local NAME, VALID_UNTIL = ARGV[1], tonumber(ARGV[2])
local RUN, JOINED, HAS_MOVED = ARGV[3], tonumber(ARGV[4]), ARGV[5] == '1'
local OFFSET = tonumber(ARGV[6])
local COMMON_FIELDS = { 'minute', 'begun', 'home', 'takings', 'rebuilt', 'lost' }

local time = redis.call('TIME')
local server_now = time[1] * SECOND + time[2]

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

-- Returns the claims from ARGV[from] on (four arguments each), with their stored counters, and the
-- common fields.
local function read(from)
  local claims, names = {}, { unpack(COMMON_FIELDS) }
  for i = from, #ARGV, 4 do
    local burst = tonumber(ARGV[i + 3])
    claims[#claims + 1] = {
      name = ARGV[i],
      window = ARGV[i + 1],
      amount = tonumber(ARGV[i + 2]),
      capacity = burst > 0 and burst or tonumber(ARGV[i + 2]),
      unit = burst > 0 and MINUTE or 1,
      -- Declared here so that the table need not grow.
      stored = false, since = 0, used = 0, reign = 0, from = 0, is_unknown = false,
    }
    names[#names + 1] = ARGV[i]
  end
  local stored = redis.call('HMGET', KEYS[1], unpack(names))
  local common = {
    minute = tonumber(stored[1] or 0),
    begun = tonumber(stored[2] or nil),
    home = stored[3],
    takings = tonumber(stored[4] or nil),
    rebuilt = tonumber(stored[5] or 0),
    lost = stored[6],
  }
  for i, claim in ipairs(claims) do
    claim.stored = stored[#COMMON_FIELDS + i]
  end
  return claims, common
end

-- Returns the ledger's time. If the clock steps back, time stays in the latest minute in which
-- anything changed, so a closed window never reopens.
local function clock(common)
  return math.max(server_now + OFFSET, common.minute * SECOND)
end

-- Returns the server's reign over this hash, its start in the ledger's time, and whether it starts
-- with this call. A process that comes from another server may have taken units there that this
-- server does not know of, so it starts a new reign too.
local function reign_of(common)
  local run, reign, since = string.match(common.home or '', '^(%S+) (%d+) (%d+)$')
  reign, since = tonumber(reign or 0), tonumber(since or 0)
  if run ~= RUN or (HAS_MOVED and JOINED > reign) then
    reign = math.max(JOINED, reign + 1)
    return reign, reign + OFFSET, true
  end
  return reign, since, false
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

-- Returns a stored counter brought up to now, and the reign in which it was written.
local function current(claim, now)
  local since, used, reign
  if claim.stored then
    since, used, reign = string.match(claim.stored, '^(%d+) (%d+) (%d+)$')
  end
  since, used = advance(claim, tonumber(since), tonumber(used), now)
  return since, used, tonumber(reign or 0)
end

-- Returns the earliest instant from which a taken unit may still count as used.
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

-- Stores fields (name, value, name, value ...) and the current minute.
local function write(changed, now, common)
  local minute = (now - now % MINUTE) / SECOND
  if minute > common.minute then
    changed[#changed + 1], changed[#changed + 2] = 'minute', string.format('%.0f', minute)
  end
  redis.call('HSET', KEYS[1], unpack(changed))
  redis.call('EXPIRE', KEYS[1], KEEP)
end

-- Returns the outcome of the call of this name: its answer, CLOSED, or nothing.
--
-- The outcome is stored under its own key. While a Cluster migrates the slot, a script may name
-- only one key, so the outcome is a field of the hash. These fields are deleted once they are old
-- and the migration is over.
local function recall(common)
  local memory = KEYS[2] and redis.call('GET', KEYS[2])
  if memory or not common.takings then
    return memory
  end
  if KEYS[2] and server_now > common.takings + REMEMBER * SECOND then
    for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
      if string.sub(field, 1, 7) == 'taking:' then
        redis.call('HDEL', KEYS[1], field)
      end
    end
    redis.call('HDEL', KEYS[1], 'takings')
    return nil
  end
  return redis.call('HGET', KEYS[1], 'taking:' .. NAME)
end

local function remember(memory)
  if KEYS[2] then
    redis.call('SET', KEYS[2], memory, 'EX', REMEMBER)
  else
    local now = string.format('%.0f', server_now)
    redis.call('HSET', KEYS[1], 'taking:' .. NAME, memory, 'takings', now)
    redis.call('EXPIRE', KEYS[1], KEEP)
  end
end
