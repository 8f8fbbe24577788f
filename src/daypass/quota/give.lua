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

local numbers = {}
for number in string.gmatch(answer, '%d+') do
  numbers[#numbers + 1] = tonumber(number)
end
local units = numbers[1]

local claims, stored = read(3)
local now = clock(tonumber(ARGV[1]), stored[1])
local changed = {}
for i, claim in ipairs(claims) do
  -- A counter that is gone (evicted, flushed) holds nothing that could be given back.
  if stored[i + 1] then
    local taken_since, taken_used = numbers[2 * i + 1], numbers[2 * i + 2]
    local since, used = current(claim, stored[i + 1], now)
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
