-- Giving an attempt its lease and its epoch, once; used by `begin` and, for the next one, by `settle`.

-- Gives false when it is not to be had, else run id, job, config, tags, asset, kind, attempt, epoch, parts, input,
-- checkpoint, rehearsal, fails, trace.
local function begin_attempt(attempt, worker, lease, at)
  local unit, n = split_attempt(attempt)
  if not unit then return false end
  local uk = k('u', unit)
  local u = redis.call('HMGET', uk, 'state', 'attempt', 'run', 'asset', 'kind', 'parts', 'input', 'ckpt', 'fails', 'epoch')
  if u[1] ~= 'DISPATCHED' or u[2] ~= n then return false end
  local run = u[3]
  redis.call('ZREM', k('outbox'), attempt)
  -- Time, so that a beginning that a failover forgot is not given the same epoch again; more than the last one in any case.
  local epoch = string.format('%.0f', math.max(tonumber(u[10] or '0') + 1, at))
  redis.call('HSET', uk, 'state', 'RUNNING', 'epoch', epoch, 'worker', worker, 'began', at)
  redis.call('ZADD', k('leases'), at + lease, attempt)
  redis.call('HINCRBY', k('stats'), 'attempts', 1)
  local rk = k('run', run)
  local r = redis.call('HMGET', rk, 'status', 'job', 'config', 'tags', 'rehearsal', 'single', 'trace')
  if r[1] == 'STARTING' then redis.call('HSET', rk, 'status', 'STARTED', 'started', at, 'worker', worker) end
  if u[5] == 'm' or u[5] == 'task' then
    local parts = cjson.decode(u[6])
    for _, p in ipairs(parts) do
      local settled = n ~= '1' and hget(k('run', run, 'parts'), u[4] .. '|' .. p[1])
      if not settled or settled == '' then set_cell(u[4], p[2], p[3], nil, RUNNING) end
    end
    -- One event for all of it where one partition is all there is.
    tell('partition.running', at, run, cjson.encode({ job = r[2], asset = u[4], key = #parts == 1 and parts[1][1] or nil }))
  end
  if r[1] == 'STARTING' and r[6] ~= '1' then tell('run.started', at, run, cjson.encode({ job = r[2] })) end
  if r[6] ~= '1' or n ~= '1' then note(run, 'unit.started', at, cjson.encode({ unit = unit, attempt = tonumber(n), worker = worker })) end
  return { run, r[2], r[3], r[4], u[4], u[5], n, epoch, u[6], u[7] or '', u[8] or '', r[5] or '', u[9] or '0', r[7] or '' }
end
