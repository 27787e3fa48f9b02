-- Makes sensors, schedules and pool limits of the deployment known; a person's switch or limit is never overwritten, and
-- a switch that nobody has touched is as the definition has it by now.
-- ARGV: JSON { sensors: [{ name, kind, every, status, cursor, timeout }], pools: { name: limit }, probes: { name: 1 },
-- limits: { rule: runs at once } }; stamp of a registration that is repeated ('' = a new one)
-- Returns: the stamp of the registration that counts now
-- include: base
local at = now_ms()
local d = cjson.decode(ARGV[1])
-- Stamps grow with every new registration: one that is lower than a process's own says that Redis has forgotten what
-- that process said, and one that is higher that a newer process has spoken since.
local known = tonumber(hget(k('meta'), 'definitions') or '0')
local stamp = tonumber(ARGV[2])
if stamp and stamp <= known then return known end
stamp = stamp or math.max(at, known + 1)
redis.call('HSET', k('meta'), 'definitions', string.format('%.0f', stamp))
for _, s in ipairs(d.sensors) do
  local sk = k('sensor', s.name)
  local by = hget(sk, 'status_by')
  if by == nil then redis.call('HSET', sk, 'cursor', s.cursor, 'version', 1, 'generation', 1) end
  if by == nil or by == 'definition' then redis.call('HSET', sk, 'status', s.status, 'status_by', 'definition') end
  redis.call('HSET', sk, 'every', s.every, 'timeout', s.timeout, 'kind', s.kind)
  redis.call('SADD', k('sensors'), s.name)
  redis.call('ZADD', k('due'), 'NX', at, s.name)
end
redis.call('DEL', k('limits'))
for rule, most in pairs(d.limits) do redis.call('HSET', k('limits'), rule, most) end
for name, limit in pairs(d.pools) do redis.call('HSET', k('pools'), name .. '|default', limit) end
-- What a probe said counts only where there still is one.
for _, field in ipairs(redis.call('HKEYS', k('pools'))) do
  local name = string.match(field, '^(.*)|live')
  if name and not d.probes[name] then redis.call('HDEL', k('pools'), field) end
end
return stamp
