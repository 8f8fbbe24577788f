-- Gives back what one taking took, once.
--
-- KEYS: counters [, the taking's own key]. ARGV from the seventh: the taking's answer ('':
-- unknown, its reply was lost), then per claim: name, window, amount, burst.
-- Answers 1, or 0 when there is nothing to give back. Either way the taking is closed: should
-- its command still arrive, late, it takes nothing.

-- A call that may have been carried out is repeated for as long as that is remembered, no longer.
if server_now > VALID_UNTIL then
  return 0
end

local claims, common = read(8)
local answer = recall(common) or ARGV[7]
remember(CLOSED)
if answer == '' or answer == CLOSED then
  return 0
end

local numbers = numbers_in(answer)
local units, begun = numbers[1], numbers[3]
-- Of counters that were lost nothing is given back: those that took their place were begun with
-- what the records say.
if common.begun ~= begun then
  return 0
end
local now = clock(common)
local changed = {}
for i, claim in ipairs(claims) do
  if claim.stored then
    local taken_since, taken_used = numbers[2 * i + 3], numbers[2 * i + 4]
    local since, used, reign = current(claim, now)
    local back
    if claim.unit == 1 then
      back = since == taken_since and units or 0
    else
      local _, left = advance(claim, taken_since, taken_used, now)
      back = math.min(units * claim.unit, left)
    end
    local left = string.format('%s %.0f', pair(since, math.max(0, used - back)), reign)
    changed[#changed + 1], changed[#changed + 2] = claim.name, left
  end
end
if #changed > 0 then
  write(changed, now, common)
end
return 1
