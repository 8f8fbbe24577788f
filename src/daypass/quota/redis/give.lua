-- Gives the units of one take back, once, to the quota windows they came from.
--
-- KEYS: counters [, the take's own key]. ARGV from the seventh: the take's answer ('' if its reply
-- was lost), 'capped' if the last claim is the account's bucket of give-backs (else ''), then per
-- claim: name, window, amount, burst.
-- Answers "1 0 0 0", or "0 0 0 0" if there is nothing to give back, or "-3 now 0 0 since used" if
-- the bucket of give-backs is full. In every case the take is closed: if its command arrives later,
-- it takes nothing.

local NOTHING = '0 0 0 0'

-- Ignore a call that is too old: the record of an earlier run may have expired.
if server_now > VALID_UNTIL then
  return NOTHING
end

local claims, common = read(9)
local answer = recall(common) or ARGV[7]
remember(CLOSED)
if answer == '' or answer == CLOSED then
  return NOTHING
end

local numbers = numbers_in(answer)
local units, begun = numbers[1], numbers[3]
-- Give nothing back to counters created since: after a loss they start from the usage records.
if (common.begun or 0) ~= begun then
  return NOTHING
end
local now = clock(common)
local changed = {}

local function change(claim, since, used, reign)
  changed[#changed + 1] = claim.name
  changed[#changed + 1] = string.format('%s %.0f', pair(since, used), reign)
end

local give_backs = ARGV[8] == 'capped' and table.remove(claims)
if give_backs then
  local since, used, reign = current(give_backs, now)
  -- The usage records do not count give-backs, so after a loss this window allows none.
  if not give_backs.stored and common.rebuilt >= since then
    used = give_backs.amount
  end
  if used >= give_backs.amount then
    return string.format('-3 %.0f 0 0 ', now) .. pair(since, used)
  end
  change(give_backs, since, used + 1, reign)
end

for i, claim in ipairs(claims) do
  -- A throttle keeps its unit: it limits calls to the upstream whether or not they succeed.
  if claim.stored and claim.window ~= 'minute' then
    local since, used, reign = current(claim, now)
    local back = since == numbers[2 * i + 3] and units or 0
    change(claim, since, math.max(0, used - back), reign)
  end
end
if #changed > 0 then
  write(changed, now, common)
end
return '1 0 0 0'
