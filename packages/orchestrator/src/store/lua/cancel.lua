-- Asks a run to stop: what has not begun ends now, what runs is told at its next renewal. One that failed and is to be run
-- again by its job's policy is not.
-- ARGV: run, by
-- Returns: the status after it, or nil when there is no such run
-- include: base cells queue limits runs
local at = now_ms()
local run = ARGV[1]
local rk = k('run', run)
local status = hget(rk, 'status')
if not status then return false end
if redis.call('ZREM', k('retries'), run) == 1 then
  redis.call('HDEL', rk, 'blocked')
  event(run, 'run.retry_cancelled', at, cjson.encode({ by = ARGV[2] }))
end
if status ~= 'QUEUED' and status ~= 'STARTING' and status ~= 'STARTED' then return status end
set_status(run, status, 'CANCELING', at)
redis.call('HSET', rk, 'cancelled_by', ARGV[2])
event(run, 'run.canceling', at, cjson.encode({ by = ARGV[2] }))
local running = 0
for _, unit in ipairs(units_of(run)) do
  local uk = k('u', unit)
  local u = redis.call('HMGET', uk, 'state', 'attempt', 'pool', 'asset', 'parts')
  local attempt = unit .. '.' .. (u[2] or '')
  local activity
  if not u[1] then
    activity = nil -- parked runs have no units yet
  elseif u[1] == 'RUNNING' then
    running = running + 1
    redis.call('SADD', k('cancelling'), attempt)
    activity = CANCELLING
  elseif u[1] == 'QUEUED' or u[1] == 'DELAYED' or u[1] == 'DISPATCHED' or u[1] == 'HELD' then
    redis.call('HSET', uk, 'state', 'CANCELED')
    redis.call('ZREM', k('outbox'), attempt)
    redis.call('ZREM', k('ready'), attempt)
    redis.call('ZREM', k('delayed'), unit)
    leave_pool(u[3], attempt)
    activity = IDLE
  end
  if activity then
    for _, p in ipairs(cjson.decode(u[5])) do
      local settled = hget(k('run', run, 'parts'), u[4] .. '|' .. p[1])
      if hget(k('held', u[4]), p[1]) == run and (not settled or settled == '') then set_cell(u[4], p[2], p[3], nil, activity) end
    end
  end
end
redis.call('DEL', k('run', run, 'bl'))
redis.call('HSET', rk, 'open', running)
if running == 0 then end_run(run, 'CANCELED', 'cancelled', nil, at) end
return hget(rk, 'status')
