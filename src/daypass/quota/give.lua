-- Gives back what one taking took, once, to the quota windows it came from.
--
-- KEYS: counters, the taking's own key. ARGV: clock offset, the taking's answer ('': unknown,
-- its reply was lost), 'capped' if the last claim is the account's bucket of give-backs ('' if
-- there is none), then per claim: name, window, amount, burst.
-- Answers "1 0 0", or "0 0 0" when there is nothing to give back, or "-3 now 0 since used" when
-- the bucket of give-backs is full. In every case the taking is closed: should its command still
-- arrive, late, it takes nothing.

local answer = redis.call('GET', KEYS[2]) or ARGV[2]
redis.call('SET', KEYS[2], CLOSED, 'EX', REMEMBER)
if answer == '' or answer == CLOSED then
  return '0 0 0'
end

local numbers = numbers_in(answer)
local units, begun = numbers[1], numbers[3]

local claims, stored = read(4)
-- Of counters that were lost nothing is given back: those that took their place were begun with
-- what the records say.
if tonumber(stored[2] or 0) ~= begun then
  return '0 0 0'
end
local now = clock(tonumber(ARGV[1]), stored[1])
local changed = {}

local give_backs = ARGV[3] == 'capped' and table.remove(claims)
if give_backs then
  local counter = stored[#claims + 1 + FIELDS]
  local since, used = current(give_backs, counter, now)
  -- The records do not know how many were given back: after a loss, none is for this window.
  if not counter and tonumber(stored[3] or 0) >= since then
    used = give_backs.amount
  end
  if used >= give_backs.amount then
    return string.format('-3 %.0f 0 ', now) .. pair(since, used)
  end
  changed = { give_backs.name, pair(since, used + 1) }
end

for i, claim in ipairs(claims) do
  -- A throttle limits how often the upstream is called, whatever comes of it.
  if stored[i + FIELDS] and claim.window ~= 'minute' then
    local since, used = current(claim, stored[i + FIELDS], now)
    local back = since == numbers[2 * i + 2] and units or 0
    changed[#changed + 1], changed[#changed + 2] = claim.name, pair(since, math.max(0, used - back))
  end
end
if #changed > 0 then
  write(changed, now, stored[1])
end
return '1 0 0'
