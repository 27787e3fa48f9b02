-- Gives a worker the tick to evaluate, once.
-- ARGV: tick, worker
-- Returns: nil, or sensor, cursor, version, generation, now (ms), trigger, last schedule time
-- include: base sensors
local id = ARGV[1]
local t = redis.call('HMGET', tick_key(id), 'sensor', 'status', 'worker', 'trigger')
if t[2] ~= 'STARTED' or t[3] then return false end
local s = redis.call('HMGET', k('sensor', t[1]), 'tick', 'cursor', 'version', 'generation', 'plan')
if s[1] ~= id then return false end
redis.call('HSET', tick_key(id), 'worker', ARGV[2], 'cursor_before', s[2], 'cursor_version', s[3])
return { t[1], s[2], s[3], s[4], tostring(now_ms()), t[4], s[5] or '' }
