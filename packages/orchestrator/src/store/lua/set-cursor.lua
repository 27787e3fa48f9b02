-- A person's write of a cursor; the version check makes two editors see each other, a tick under way is overruled.
-- ARGV: sensor, cursor, by, reason, version that must be current ('' = any), new generation of run keys (1 | 0)
-- Returns: new version, or 0 and the current version when it is another, or -1 when there is no such sensor
-- include: base sensors
local at = now_ms()
local sk = k('sensor', ARGV[1])
local s = redis.call('HMGET', sk, 'cursor', 'version')
if not s[1] then return { -1 } end
if ARGV[5] ~= '' and ARGV[5] ~= s[2] then return { 0, tonumber(s[2]) } end
local version = redis.call('HINCRBY', sk, 'version', 1)
redis.call('HSET', sk, 'cursor', ARGV[2])
if ARGV[6] == '1' then redis.call('HINCRBY', sk, 'generation', 1) end
cursor_history(ARGV[1], version, at, ARGV[3], ARGV[4], s[1], ARGV[2])
if hget(sk, 'status') == 'RUNNING' then redis.call('ZADD', k('due'), at, ARGV[1]) end
redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'cursor.changed', 'at', at, 'd',
  cjson.encode({ sensor = ARGV[1], version = version, by = ARGV[3] }))
return { version, version }
