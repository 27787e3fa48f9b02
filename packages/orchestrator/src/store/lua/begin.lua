-- Gives an attempt its lease and its epoch, once; a bell that rings twice gets nothing the second time.
-- ARGV: attempt, worker, lease (ms)
-- Returns: nil, or run id, job, config, tags, asset, kind, attempt, epoch, parts, input, checkpoint, rehearsal, fails
-- include: base cells queue runs
local at = now_ms()
local unit, n = split_attempt(ARGV[1])
if not unit then return false end
local uk = k('u', unit)
local u = redis.call('HMGET', uk, 'state', 'attempt', 'run', 'asset', 'kind', 'parts', 'input', 'ckpt', 'fails')
if u[1] ~= 'DISPATCHED' or u[2] ~= n then return false end
local run = u[3]
redis.call('ZREM', k('outbox'), ARGV[1])
local epoch = redis.call('HINCRBY', uk, 'epoch', 1)
redis.call('HSET', uk, 'state', 'RUNNING', 'worker', ARGV[2], 'began', at)
redis.call('ZADD', k('leases'), at + tonumber(ARGV[3]), ARGV[1])
local rk = k('run', run)
local r = redis.call('HMGET', rk, 'status', 'job', 'config', 'tags', 'rehearsal')
if r[1] == 'STARTING' then
  set_status(run, 'STARTING', 'STARTED', at)
  redis.call('HSET', rk, 'started', at)
  event(run, 'run.started', at, cjson.encode({ job = r[2] }))
end
if u[5] == 'm' or u[5] == 'task' then
  for _, p in ipairs(cjson.decode(u[6])) do
    local settled = hget(k('run', run, 'parts'), u[4] .. '|' .. p[1])
    if not settled or settled == '' then set_cell(u[4], p[2], p[3], nil, RUNNING) end
  end
end
redis.call('XADD', k('run', run, 'ev'), 'MAXLEN', '~', 20000, '*', 't', 'unit.started', 'at', at,
  'd', cjson.encode({ unit = unit, attempt = tonumber(n), worker = ARGV[2] }))
return { run, r[2], r[3], r[4], u[4], u[5], n, tostring(epoch), u[6], u[7] or '', u[8] or '', r[5] or '', u[9] or '0' }
