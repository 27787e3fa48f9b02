-- Changes how many runs a backfill may have active, and the priority of those that it asks for from now on.
-- ARGV: backfill, runs at once ('' = as it is), priority ('' = as it is), by, version that must be current ('' = any)
-- Returns: 1, the version, runs at once and priority before; or 0 and the version that is current; or nil when there is no
-- such backfill
-- include: base
local at = now_ms()
local bk = k('bf', ARGV[1])
local b = redis.call('HMGET', bk, 'status', 'version', 'max_active', 'priority')
if not b[1] then return false end
local version = b[2] or '0'
if ARGV[5] ~= '' and ARGV[5] ~= version then return { 0, tonumber(version) } end
local most, priority = ARGV[2], ARGV[3]
if most == '' then most = b[3] end
if priority == '' then priority = b[4] end
if most ~= b[3] or priority ~= b[4] then
  version = redis.call('HINCRBY', bk, 'version', 1)
  redis.call('HSET', bk, 'max_active', most, 'priority', priority)
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'backfill.changed', 'at', at, 'd',
    cjson.encode({ backfill = ARGV[1], by = ARGV[4] }))
end
return { 1, tonumber(version), tonumber(b[3]), tonumber(b[4]) }
