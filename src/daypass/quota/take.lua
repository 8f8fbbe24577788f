-- Takes the same number of units from every bucket that is claimed, or none from any.
--
-- KEYS: counters [, this taking's own key; none: only look].
-- ARGV: clock offset, no earlier than, no later than, wanted, block, what the records say ('':
--       not asked; else the instant of the question, 1 where counters were lost or 0, then units
--       per claim), then per claim: name, window, amount, burst (0: a calendar window).
-- Answers "units now begun since used since used ...", and the same again for the same taking.
-- Units is -1 when the moment is too late, and -2 when a counter is not here that may have been
-- lost: then the records must be asked. `begun` is 0 where there are no counters at all.

local earlier = KEYS[2] and redis.call('GET', KEYS[2])
if earlier then
  return earlier
end

local claims, stored = read(7)
local now = math.max(clock(tonumber(ARGV[1]), stored[1]), tonumber(ARGV[2]))
if now >= tonumber(ARGV[3]) then
  return string.format('-1 %.0f 0', now)
end

local recorded = numbers_in(ARGV[6])
local asked_at = recorded[1]
local begun = tonumber(stored[2])

local room = math.huge
local counters = {}
for i, claim in ipairs(claims) do
  local since, used = current(claim, stored[i + FIELDS], now)
  local from = reaches_back_to(claim, now)
  if not stored[i + FIELDS] and (not begun or from < begun) then
    if not asked_at then
      return string.format('-2 %.0f %.0f', now, begun or 0)
    end
    -- Of a window that has begun since, nothing can have been lost.
    if from <= asked_at then
      local units_used = recorded[i + 2]
      used = claim.unit == 1 and units_used or math.min(units_used, claim.capacity) * claim.unit
    end
  end
  counters[i] = { since, used }
  room = math.min(room, math.floor((claim.capacity * claim.unit - used) / claim.unit))
end

-- What is wanted, or a block, which becomes smaller the less is left: so that the last units go
-- where they are wanted.
local wanted, block = tonumber(ARGV[4]), tonumber(ARGV[5])
local units = math.max(wanted, math.min(block, math.floor(room / 32)))
units = math.max(0, math.min(room, units))

local answer, changed = {}, {}
for i, claim in ipairs(claims) do
  local counter = pair(counters[i][1], counters[i][2] + units * claim.unit)
  answer[i] = counter
  changed[2 * i - 1], changed[2 * i] = claim.name, counter
end
if #claims > 0 and KEYS[2] and (units > 0 or asked_at) then
  if not begun then
    begun = now
    changed[#changed + 1], changed[#changed + 2] = 'begun', string.format('%.0f', begun)
    if recorded[2] == 1 then
      changed[#changed + 1], changed[#changed + 2] = 'rebuilt', string.format('%.0f', begun)
    end
  end
  write(changed, now, stored[1])
end
answer = string.format('%.0f %.0f %.0f ', units, now, begun or 0) .. table.concat(answer, ' ')
if units > 0 and KEYS[2] then
  redis.call('SET', KEYS[2], answer, 'EX', REMEMBER)
end
return answer
