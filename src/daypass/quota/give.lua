-- Gives back what one taking took, once.
--
-- KEYS: counters, the taking's own key. ARGV: clock offset, the taking's answer ('': unknown,
-- its reply was lost), then per claim: name, window, amount, burst.
-- Answers 1, or 0 when there is nothing to give back. Either way the taking is closed: should
-- its command still arrive, late, it takes nothing.

local answer = redis.call('GET', KEYS[2]) or ARGV[2]
redis.call('SET', KEYS[2], CLOSED, 'EX', REMEMBER)
if answer == '' or answer == CLOSED then
  return 0
end

local numbers = numbers_in(answer)
local units, begun = numbers[1], numbers[3]

local claims, stored = read(3)
-- Of counters that were lost nothing is given back: those that took their place were begun with
-- what the records say.
if tonumber(stored[2] or 0) ~= begun then
  return 0
end
local now = clock(tonumber(ARGV[1]), stored[1])
local changed = {}
for i, claim in ipairs(claims) do
  if stored[i + 2] then
    local taken_since, taken_used = numbers[2 * i + 2], numbers[2 * i + 3]
    local since, used = current(claim, stored[i + 2], now)
    local back
    if claim.unit == 1 then
      back = since == taken_since and units or 0
    else
      local _, left = advance(claim, taken_since, taken_used, now)
      back = math.min(units * claim.unit, left)
    end
    changed[#changed + 1], changed[#changed + 2] = claim.name, pair(since, math.max(0, used - back))
  end
end
if #changed > 0 then
  write(changed, now, stored[1])
end
return 1
