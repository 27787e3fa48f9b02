-- Turns a sensor or schedule on or off; turning it off also takes the tick under way its right to launch.
-- ARGV: sensor, status (RUNNING | STOPPED), by, version of the switch that must be current ('' = any)
-- Returns: 1, the version, the status before ('' = never registered); or 0 and the version that is current
-- include: base sensors
local at = now_ms()
local sk = k('sensor', ARGV[1])
local version = hget(sk, 'status_version') or '0'
if (ARGV[4] or '') ~= '' and ARGV[4] ~= version then return { 0, tonumber(version) } end
version = redis.call('HINCRBY', sk, 'status_version', 1)
local before = hget(sk, 'status')
redis.call('HSET', sk, 'status', ARGV[2], 'status_by', ARGV[3], 'status_at', at)
if ARGV[2] == 'RUNNING' then
  if before ~= 'RUNNING' then redis.call('ZADD', k('due'), at, ARGV[1]) end
else
  redis.call('ZREM', k('due'), ARGV[1])
end
redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'sensor.switched', 'at', at, 'd',
  cjson.encode({ sensor = ARGV[1], status = ARGV[2], by = ARGV[3] }))
return { 1, version, before or '' }
