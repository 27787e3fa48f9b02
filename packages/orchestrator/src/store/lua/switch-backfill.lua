-- Moves a backfill along its state machine on a person's word.
-- ARGV: backfill, status it goes to (IN_PROGRESS | PAUSED | CANCELED), by, reason, version that must be current ('' = any)
-- Returns: 1, the version, the status before and the one after, runs under way; or 0 and the version that is current; or
-- nil when there is no such backfill
-- include: base cells queue limits runs
local at = now_ms()
local bk = k('bf', ARGV[1])
local status = hget(bk, 'status')
if not status then return false end
local version = hget(bk, 'version') or '0'
if ARGV[5] ~= '' and ARGV[5] ~= version then return { 0, tonumber(version) } end
local to = ARGV[2]
local allowed = { IN_PROGRESS = { PAUSED = 1, REQUESTED = 1 }, PAUSED = { IN_PROGRESS = 1 }, CANCELED = { IN_PROGRESS = 1, PAUSED = 1, REQUESTED = 1 } }
if allowed[to][status] then
  redis.call('HSET', bk, 'status', to, 'status_by', ARGV[3], 'status_reason', ARGV[4], 'status_at', at)
  redis.call('HINCRBY', bk, 'version', 1)
  if to == 'IN_PROGRESS' and hget(bk, 'expanded') ~= '1' then
    redis.call('SADD', k('bf:live'), ARGV[1])
  else
    redis.call('SREM', k('bf:live'), ARGV[1])
  end
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'backfill.' .. string.lower(to), 'at', at, 'd',
    cjson.encode({ backfill = ARGV[1], by = ARGV[3] }))
  if to == 'CANCELED' then redis.call('HSET', bk, 'ended', at) end
  if to == 'IN_PROGRESS' then finish_backfill(ARGV[1], at) end
end
local active = redis.call('SMEMBERS', k('bf', ARGV[1], 'act'))
return { 1, tonumber(hget(bk, 'version') or '0'), status, hget(bk, 'status'), active }
