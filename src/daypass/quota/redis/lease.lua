-- Holds, renews or frees the lease of one open request of a key, or counts those that are held.
--
-- KEYS: the key's leases, a sorted set of their ids by expiry (the ledger's time, microseconds).
-- ARGV from the seventh: 'acquire', 'renew', 'release' or 'count', the lease's id, the limit, and for
-- how long a lease is held (microseconds).
-- Answers "1 open now", or "0 open now" where the limit leaves no room.

if server_now > VALID_UNTIL then
  return CLOSED
end

local action, lease, limit = ARGV[7], ARGV[8], tonumber(ARGV[9])
local now = server_now + OFFSET

local function answer(is_admitted, open)
  return string.format('%d %d %.0f', is_admitted, open, now)
end

if action == 'count' then
  return answer(1, redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', now), '+inf'))
end
if action == 'release' then
  redis.call('ZREM', KEYS[1], lease)
  return answer(1, 0)
end

local ends = string.format('%.0f', now + tonumber(ARGV[10]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
-- If the clock was set back, the leases of a dead process must not outlive the step.
for _, other in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ends, '+inf')) do
  redis.call('ZADD', KEYS[1], ends, other)
end
local is_held = redis.call('ZSCORE', KEYS[1], lease)
local open = redis.call('ZCARD', KEYS[1])
if action == 'acquire' and not is_held and open >= limit then
  return answer(0, open)
end
redis.call('ZADD', KEYS[1], ends, lease)
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[10]) / 1000))
return answer(1, is_held and open or open + 1)
