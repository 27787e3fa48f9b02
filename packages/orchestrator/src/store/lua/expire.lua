-- Time passing: leases that ran out are lost attempts, waits that ended go back to the queue, and so do runs that stand
-- aside for a limit that has room: because it was raised, or because the one that was woken for it waits for another.
-- ARGV: losses without progress that end a unit, limit, lease (ms)
-- Returns: number of lost attempts, number of units readied, failed runs that are due for the next of their job's policy:
-- each is given to one pulse, and to another one when nothing has become of it within a lease
-- include: base cells queue limits runs
local at = now_ms()
local max_lost, limit, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local lost = redis.call('ZRANGEBYSCORE', k('leases'), '-inf', at, 'LIMIT', 0, limit)
for _, attempt in ipairs(lost) do
  local unit, n = split_attempt(attempt)
  local uk = k('u', unit)
  local u = redis.call('HMGET', uk, 'state', 'attempt', 'run', 'worker', 'asset', 'parts', 'kind')
  redis.call('ZREM', k('leases'), attempt)
  if u[1] == 'RUNNING' and u[2] == n then
    local run = u[3]
    end_attempt(unit, attempt)
    redis.call('HINCRBY', k('stats'), 'lost_attempts', 1)
    event(run, 'attempt.lost', at, cjson.encode({ unit = unit, attempt = tonumber(n), worker = u[4] or '' }))
    if hget(k('run', run), 'status') == 'CANCELING' then
      redis.call('HSET', uk, 'state', 'CANCELED')
      for _, p in ipairs(cjson.decode(u[6])) do set_cell(u[5], p[2], p[3], nil, IDLE) end
      after_unit(run, at)
    elseif redis.call('HINCRBY', uk, 'lost', 1) >= max_lost then
      fail_unit(unit, 'worker_lost', cjson.encode({ code = 'WORKER_LOST',
        message = 'The worker was lost ' .. max_lost .. ' times without progress; the last one was ' .. (u[4] or 'unknown') .. '.' }), at)
    else
      redis.call('HINCRBY', uk, 'attempt', 1)
      if u[7] == 'm' or u[7] == 'task' then
        for _, p in ipairs(cjson.decode(u[6])) do
          local settled = hget(k('run', run, 'parts'), u[5] .. '|' .. p[1])
          if not settled or settled == '' then set_cell(u[5], p[2], p[3], nil, QUEUED) end
        end
      end
      queue_lost(unit)
    end
  end
end
local ready = redis.call('ZRANGEBYSCORE', k('delayed'), '-inf', at, 'LIMIT', 0, limit)
for _, unit in ipairs(ready) do
  redis.call('ZREM', k('delayed'), unit)
  if hget(k('u', unit), 'state') == 'DELAYED' then queue_unit(unit, true) end
end
local aside = redis.call('HGETALL', k('aside'))
for i = 1, #aside, 2 do wake_limit(aside[i], aside[i + 1]) end
local again = redis.call('ZRANGEBYSCORE', k('retries'), '-inf', at, 'LIMIT', 0, limit)
for _, run in ipairs(again) do redis.call('ZADD', k('retries'), at + lease, run) end
return { #lost, #ready, again }
