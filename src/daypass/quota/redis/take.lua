-- Takes the same number of units from every claimed bucket, or none from any.
--
-- KEYS: counters [, this take's own key].
-- ARGV from the seventh: no earlier than, no later than, wanted, block, the usage records ('' if
--       not queried; else the reign and the instant of the query, 1 if counters were lost or 0,
--       then units per claim), then per claim: name, window, amount, burst (0: a calendar window).
-- Answers "units now begun reign since used since used ...", and the same again if repeated.
-- Units is -1 if it is too late. It is -2 if a counter may have been lost, or may have lost its
-- latest units, so that the usage records must be queried. That answer has the counters as stored,
-- the age of the reign, and whether the counters were created in an earlier one (1 or 0).
-- `begun` is 0 if there are no counters at all.

if server_now > VALID_UNTIL then
  return CLOSED
end

local claims, common = read(12)
local earlier = NAME ~= '' and recall(common)
if earlier then
  return earlier
end

local begun = common.begun
local reign, reign_since, is_new_reign = reign_of(common)
local now = math.max(clock(common), tonumber(ARGV[7]))

local function answer(units, counters)
  return string.format('%.0f %.0f %.0f %.0f ', units, now, begun or 0, reign)
    .. table.concat(counters, ' ')
end

local recorded = numbers_in(ARGV[11])
-- A query from before this reign is outdated.
local asked_at = recorded[1] == reign and recorded[2]

-- Store the usage records even if it is too late to take anything, since the query is not repeated.
local is_too_late = now >= tonumber(ARGV[8])
if is_too_late and not asked_at then
  return answer(-1, {})
end

local is_unknown = false
for _, claim in ipairs(claims) do
  claim.since, claim.used, claim.reign = current(claim, now)
  claim.from = reaches_back_to(claim, now)
  if claim.stored then
    claim.is_unknown = claim.reign < reign and claim.from < reign_since
  else
    claim.is_unknown = not begun or claim.from < math.max(begun, reign_since)
  end
  is_unknown = is_unknown or claim.is_unknown
end
if is_unknown and not asked_at then
  local as_stored = {}
  for i, claim in ipairs(claims) do
    as_stored[i] = pair(claim.since, claim.used)
  end
  local is_older = begun and begun < reign_since and 1 or 0
  as_stored[#as_stored + 1] = string.format('%.0f %d', server_now - reign, is_older)
  return answer(-2, as_stored)
end

-- Returns the units that the account's day has lost, and whether this call found that out. No
-- shorter window of the account or its keys can have lost more.
local function lost_today()
  for i, claim in ipairs(claims) do
    if claim.window == 'day' and string.sub(claim.name, 1, 8) == 'account:' and claim.is_unknown then
      return math.max(0, recorded[i + 3] - claim.used), true
    end
  end
  local in_reign, units = string.match(common.lost or '', '^(%d+) (%d+)$')
  return tonumber(in_reign) == reign and tonumber(units) or math.huge, false
end

-- Returns whether the usage records, which count per day, cover this window exactly.
local function in_full(claim)
  return claim.unit == 1 and claim.window ~= 'minute' and claim.window ~= 'hour'
end

local room = math.huge
local lost, is_news = 0, false
if is_unknown then
  lost, is_news = lost_today()
end
local today = window_start('day', now)
for i, claim in ipairs(claims) do
  -- A window that began after the query cannot have lost anything.
  if claim.is_unknown and claim.from <= asked_at then
    local most = recorded[i + 3]
    -- A throttle's units are never given back, so it may have used more than the day shows. Bound
    -- its loss by the day's only if it is stored and can have lost its latest units at most.
    local is_bounded = claim.stored or claim.window == 'hour'
    if not in_full(claim) and is_bounded and claim.from >= today then
      most = math.min(most, claim.used / claim.unit + lost)
    end
    if claim.unit > 1 then
      most = math.min(most, claim.capacity)
    end
    claim.used = math.max(claim.used, math.ceil(most * claim.unit))
  end
  room = math.min(room, math.floor((claim.capacity * claim.unit - claim.used) / claim.unit))
end

-- Take the units wanted, or a block that shrinks with the units left, so that the last units go to
-- the processes that need them.
local wanted, block = tonumber(ARGV[9]), tonumber(ARGV[10])
if is_too_late then
  wanted, block = 0, 0
end
local units = math.max(wanted, math.min(block, math.floor(room / 32)))
units = math.max(0, math.min(room, units))

local counters, changed = {}, {}
local in_reign = string.format(' %.0f', reign)
for i, claim in ipairs(claims) do
  counters[i] = pair(claim.since, claim.used + units * claim.unit)
  changed[2 * i - 1] = claim.name
  changed[2 * i] = counters[i] .. in_reign
end
if #claims > 0 and NAME ~= '' and (units > 0 or asked_at) then
  if is_new_reign then
    local home = string.format('%s %.0f %.0f', RUN, reign, reign_since)
    changed[#changed + 1], changed[#changed + 2] = 'home', home
  end
  if is_news then
    changed[#changed + 1], changed[#changed + 2] = 'lost', string.format('%.0f %.0f', reign, lost)
  end
  if not begun then
    begun = now
    changed[#changed + 1], changed[#changed + 2] = 'begun', string.format('%.0f', begun)
    if recorded[3] == 1 then
      changed[#changed + 1], changed[#changed + 2] = 'rebuilt', string.format('%.0f', begun)
    end
  end
  write(changed, now, common)
end
if is_too_late then
  return answer(-1, {})
end
local taken = answer(units, counters)
if units > 0 and NAME ~= '' then
  remember(taken)
end
return taken
