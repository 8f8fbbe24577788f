-- Takes the same number of units from every bucket that is claimed, or none from any.
--
-- KEYS: counters [, this taking's own key; none: only look].
-- ARGV: clock offset, no earlier than, no later than, wanted, block, then per claim: name,
--       window, amount, burst (0: a calendar window).
-- Answers "units now since used since used ...", and the same again for the same taking.
-- Units is -1 when the moment is too late.

local earlier = KEYS[2] and redis.call('GET', KEYS[2])
if earlier then
  return earlier
end

local claims, stored = read(6)
local now = math.max(clock(tonumber(ARGV[1]), stored[1]), tonumber(ARGV[2]))
if now >= tonumber(ARGV[3]) then
  return string.format('-1 %.0f', now)
end

local room = math.huge
local counters = {}
for i, claim in ipairs(claims) do
  local since, used = current(claim, stored[i + 1], now)
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
answer = string.format('%.0f %.0f ', units, now) .. table.concat(answer, ' ')

if units > 0 and KEYS[2] then
  if #claims > 0 then
    write(changed, now, stored[1])
  end
  redis.call('SET', KEYS[2], answer, 'EX', REMEMBER)
end
return answer
