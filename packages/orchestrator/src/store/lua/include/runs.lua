-- The life of a run: claims on partitions, steps, units, settlement, end. Statuses: QUEUED STARTING STARTED CANCELING
-- and, for good, SUCCESS FAILURE CANCELED.

-- Indexes by status: one for what is queued, one for all that is under way, one for each end.
local INDEX = { QUEUED = 'QUEUED', STARTING = 'ACTIVE', STARTED = 'ACTIVE', CANCELING = 'ACTIVE', SUCCESS = 'SUCCESS', FAILURE = 'FAILURE', CANCELED = 'CANCELED' }

local function set_status(run, from, to, at)
  redis.call('HSET', k('run', run), 'status', to)
  if INDEX[from] ~= INDEX[to] then
    redis.call('ZREM', k('runs', 'st', INDEX[from]), run)
    redis.call('ZADD', k('runs', 'st', INDEX[to]), at, run)
  end
end

-- A run of one step and one partition has one unit, whose name follows from the run's.
local function units_of(run)
  if hget(k('run', run), 'single') == '1' then return { run .. '.0.m' } end
  return redis.call('SMEMBERS', k('run', run, 'u'))
end

local function steps_of(run) return cjson.decode(hget(k('run', run), 'steps')) end
local function parts_of(run) return cjson.decode(hget(k('run', run), 'parts') or '[]') end

-- Partitions that an earlier run has made for this one, which goes on where that one failed: `asset|key` of each.
local function carried_of(run)
  local done = {}
  if hget(k('run', run), 'carried') then
    for _, field in ipairs(cjson.decode(hget(k('run', run), 'carried'))) do done[field] = true end
  end
  return done
end

-- Makes one unit and queues it, or puts it into the run's backlog when `hold` says so.
local function make_unit(run, step, name, kind, parts, input, opts)
  local unit = run .. '.' .. step.index .. '.' .. name
  -- Counts that are not there are 0.
  local uk = k('u', unit)
  redis.call('HSET', uk, 'run', run, 'asset', step.asset, 'kind', kind, 'attempt', 1, 'epoch', 0, 'parts', cjson.encode(parts),
    'pool', step.pool, 'lane', opts.lane, 'prio', opts.prio, 'state', opts.state or 'HELD')
  if input ~= '' then redis.call('HSET', uk, 'input', input) end
  if not opts.single then redis.call('SADD', k('run', run, 'u'), unit) end
  return unit
end

-- The only unit of a run of one step and one partition.
local function start_single(run, asset, pool, parts, prio, lane, sent)
  local opts = { prio = prio, lane = lane, single = true, state = sent and 'DISPATCHED' or 'QUEUED' }
  local unit = make_unit(run, { index = 0, asset = asset, pool = pool }, 'm', 'm', parts, '', opts)
  if sent then return send_unit(unit, 1, pool, prio, sent.at, sent.resend) end
  enqueue(unit, pool, prio, lane, false, true)
end

local settle_partition

-- Begins as all records of failures do, which is how they are told.
local FAILED_RECORD = '{"o":"failed"'
local function failed_record(code, message)
  return FAILED_RECORD .. ',"e":' .. cjson.encode({ code = code, message = message }) .. '}'
end

-- What a step is made from, of the steps before it: [asset, `key` (the same partition of it) or `all`] each.
local function needs_of(steps, index)
  if steps[index + 1].needs then return steps[index + 1].needs end
  local needs = {} -- written by a version that knew the order only
  for i = 1, index do needs[i] = { steps[i].asset, 'all' } end
  return needs
end

-- Gives what says, for a partition, which asset that it is made from failed in this run; nil when none did. Without a
-- partition: which failed as a whole, so that nothing of it can be relied on.
local function failed_upstream(run, needs, parts)
  local rk, pk = k('run', run), k('run', run, 'parts')
  local function failed(asset, p) return string.sub(hget(pk, asset .. '|' .. p[1]) or '', 1, #FAILED_RECORD) == FAILED_RECORD end
  local whole
  for _, need in ipairs(needs) do
    whole = whole or (hget(rk, 'broken:' .. need[1]) and need[1])
    for _, p in ipairs(need[2] == 'all' and not whole and parts or {}) do
      if failed(need[1], p) then whole = need[1] end
    end
  end
  return function(p)
    if whole or not p then return whole end
    for _, need in ipairs(needs) do
      if failed(need[1], p) then return need[1] end
    end
  end
end

-- Starts the first step from this one on that has something to do; gives false when none has. What an earlier run did is
-- not done again; what is made from something that failed is not tried, and says so.
local start_step
function start_step(run, index, at)
  local rk = k('run', run)
  local s = redis.call('HMGET', rk, 'single', 'steps', 'parts', 'priority', 'lane')
  if s[1] == '1' then
    local step = cjson.decode(s[2])[1]
    return start_single(run, step.asset, step.pool, cjson.decode(s[3]), s[4], s[5], nil)
  end
  local steps = steps_of(run)
  local step = steps[index + 1]
  step.index = index
  local info = redis.call('HMGET', rk, 'priority', 'lane')
  local opts = { prio = info[1], lane = info[2] }
  redis.call('HSET', rk, 'step', index)
  local parts = parts_of(run)
  local done, upstream = carried_of(run), failed_upstream(run, needs_of(steps, index), parts)
  local todo = {}
  for _, p in ipairs(parts) do
    local failed = not done[step.asset .. '|' .. p[1]] and upstream(p)
    if failed then
      settle_partition(run, step.asset, p, 'failed', failed_record('UPSTREAM_FAILED',
        failed .. ', which ' .. step.asset .. ' is made from, failed in the same run.'), at)
    elseif not done[step.asset .. '|' .. p[1]] then
      todo[#todo + 1] = p
    end
  end
  if upstream() then redis.call('HSET', rk, 'broken:' .. step.asset, '1') end
  -- A plan that is given no partitions finds them itself.
  if #todo == 0 and not (step.fan and #parts == 0 and not upstream()) then
    return index + 1 < #steps and start_step(run, index + 1, at)
  end
  if step.fan then
    redis.call('HSET', rk, 'stage', 'plan', 'open', 1)
    queue_unit(make_unit(run, step, 'plan', 'plan', todo, '', opts))
    return true
  end
  redis.call('HSET', rk, 'stage', 'm', 'open', #todo)
  for i, p in ipairs(todo) do
    local lane = opts.lane
    if #todo > 1 then lane = hget(rk, 'job') .. '|' .. p[2] end
    queue_unit(make_unit(run, step, #todo == 1 and 'm' or ('p' .. i), 'm', { p }, '', { prio = opts.prio, lane = lane }))
  end
  return true
end

-- The first of these partitions that another run holds, and that run; nil when all are free or ours.
-- `done`: those that are not worked on (carried_of).
local function first_held(run, assets, parts, done)
  for _, asset in ipairs(assets) do
    for _, p in ipairs(parts) do
      local holder = not (done and done[asset .. '|' .. p[1]]) and hget(k('held', asset), p[1])
      if holder and holder ~= run then return asset, p[1], holder end
    end
  end
  return nil
end

local function claim(run, assets, parts, done)
  for _, asset in ipairs(assets) do
    for _, p in ipairs(parts) do
      if not (done and done[asset .. '|' .. p[1]]) then
        redis.call('HSET', k('held', asset), p[1], run)
        set_cell(asset, p[2], p[3], nil, QUEUED)
      end
    end
  end
end

local function assets_of(run)
  local assets = {}
  for _, step in ipairs(steps_of(run)) do assets[#assets + 1] = step.asset end
  return assets
end

-- Claims everything the run needs, or parks it behind the first partition that is taken. Never some of it, so runs
-- cannot wait for each other in a circle.
-- `fresh`: what is known of a run of one step and one partition that is being submitted; then the attempt to ring for is
-- the second result.
local function claim_or_park(run, at, assets, parts, fresh)
  local rk = k('run', run)
  local again = assets == nil
  if again then assets, parts = assets_of(run), parts_of(run) end
  local done = not fresh and carried_of(run) or nil
  local asset, key, holder = first_held(run, assets, parts, done)
  if asset then
    local wk = k('wait', asset, key)
    redis.call('RPUSH', wk, run)
    redis.call('HSET', rk, 'parked', wk, 'blocked', 'partition ' .. key .. ' of ' .. asset .. ' is held by run ' .. holder)
    return false
  end
  if again then redis.call('HDEL', rk, 'parked', 'blocked') end
  claim(run, assets, parts, done)
  if fresh then return true, start_single(run, assets[1], fresh.pool, parts, fresh.prio, fresh.lane, fresh.sent) end
  start_step(run, 0, at)
  return true
end

local function claim_or_park_unit(unit, at)
  local u = redis.call('HMGET', k('u', unit), 'run', 'asset', 'parts', 'state')
  if u[4] ~= 'HELD' then return false end
  local parts = cjson.decode(u[3])
  local asset, key, holder = first_held(u[1], { u[2] }, parts)
  if asset then
    redis.call('RPUSH', k('wait', asset, key), 'U' .. unit)
    redis.call('HSET', k('u', unit), 'blocked', 'partition ' .. key .. ' is held by run ' .. holder)
    return false
  end
  claim(u[1], { u[2] }, parts)
  queue_unit(unit)
  return true
end

-- Gives a partition free and wakes who waits for it, until one of them has taken it.
local function release(asset, key, run, at)
  if hget(k('held', asset), key) ~= run then return end -- never another run's claim
  redis.call('HDEL', k('held', asset), key)
  local wk = k('wait', asset, key)
  while true do
    local waiter = redis.call('LPOP', wk)
    if not waiter then return end
    local took
    if string.sub(waiter, 1, 1) == 'U' then
      took = claim_or_park_unit(string.sub(waiter, 2), at)
    elseif hget(k('run', waiter), 'status') == 'QUEUED' then
      took = claim_or_park(waiter, at)
    end
    if took then return end
  end
end

-- Settles one partition of a run, once; `json` is what the run's record keeps of it.
function settle_partition(run, asset, p, kind, json, at, version)
  local pk = k('run', run, 'parts')
  local field = asset .. '|' .. p[1]
  local current = hget(pk, field)
  if current and current ~= '' then return false end
  redis.call('HSET', pk, field, json)
  local outcome = OUTCOME[kind]
  set_cell(asset, p[2], p[3], outcome, IDLE)
  if kind == 'materialized' then
    redis.call('HINCRBY', k('run', run), 'n_mat', 1)
    set_last(asset, p[2], p[3], run, 'SUCCESS', at, version)
  elseif kind == 'failed' then
    redis.call('HINCRBY', k('run', run), 'n_fail', 1)
    set_last(asset, p[2], p[3], run, 'FAILURE', at)
  else
    redis.call('HINCRBY', k('run', run), 'n_skip', 1)
    if kind == 'skipped' then set_last(asset, p[2], p[3], run, 'SUCCESS', at) end
  end
  event(run, 'partition.' .. kind, at, cjson.encode({ asset = asset, key = p[1] }))
  return true
end

-- A partition that its task had materialized fails a check after all tasks have ended: the one outcome that is changed,
-- while its run still goes on.
local function fail_checked(run, asset, p, json, at)
  local pk, field = k('run', run, 'parts'), asset .. '|' .. p[1]
  local current = hget(pk, field)
  if not current or not string.find(current, '"o":"materialized"', 1, true) then return end
  redis.call('HSET', pk, field, json)
  set_cell(asset, p[2], p[3], OUTCOME.failed, IDLE)
  redis.call('HINCRBY', k('run', run), 'n_mat', -1)
  redis.call('HINCRBY', k('run', run), 'n_fail', 1)
  set_last(asset, p[2], p[3], run, 'FAILURE', at)
  event(run, 'partition.failed', at, cjson.encode({ asset = asset, key = p[1] }))
end

-- A backfill whose partitions are all asked for is over when its last run is.
local function finish_backfill(bf, at)
  local bk = k('bf', bf)
  local b = redis.call('HMGET', bk, 'status', 'expanded', 'n_FAILURE', 'n_CANCELED')
  if b[1] ~= 'IN_PROGRESS' or b[2] ~= '1' or redis.call('SCARD', k('bf', bf, 'act')) > 0 then return end
  local unhappy = tonumber(b[3] or '0') + tonumber(b[4] or '0')
  local status = unhappy > 0 and 'COMPLETED_WITH_FAILURES' or 'COMPLETED'
  redis.call('HSET', bk, 'status', status, 'ended', at)
  redis.call('HINCRBY', bk, 'version', 1)
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'backfill.ended', 'at', at, 'd',
    cjson.encode({ backfill = bf, status = status }))
end

-- Minutes since its beginning, the hours after the first four as a whole: a backfill of a year has nine thousand fields.
local function pace_of(bk, at)
  local minute = math.floor(math.max(0, at - tonumber(hget(bk, 'created') or at)) / 60000)
  return minute < 240 and minute or minute - minute % 60
end

local function count_in_backfill(bf, run, status, at)
  local bk = k('bf', bf)
  redis.call('SREM', k('bf', bf, 'act'), run)
  local n = redis.call('HINCRBY', bk, 'n_' .. status, 1)
  redis.call('HINCRBY', k('bf', bf, 'pace'), pace_of(bk, at) .. ' ' .. status, 1)
  local stop = tonumber(hget(bk, 'stop_after') or '0')
  if status == 'FAILURE' and stop > 0 and n >= stop and hget(bk, 'status') == 'IN_PROGRESS' then
    redis.call('HSET', bk, 'status', 'PAUSED', 'status_by', 'skein', 'status_reason', n .. ' failures, as many as it was to stop after', 'status_at', at)
    redis.call('HINCRBY', bk, 'version', 1)
    redis.call('SREM', k('bf:live'), bf)
    redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'backfill.paused', 'at', at, 'd',
      cjson.encode({ backfill = bf, by = 'skein' }))
  end
  finish_backfill(bf, at)
end

-- Ends a run for good: partitions free, indexes moved, units gone, waiters woken.
local function end_run(run, status, reason, err, at)
  local rk = k('run', run)
  local info = redis.call('HMGET', rk, 'status', 'job', 'limits', 'parked', 'retry_after')
  set_status(run, info[1], status, at)
  redis.call('HSET', rk, 'ended', at)
  if reason then redis.call('HSET', rk, 'end_reason', reason) end
  if err and err ~= '' then redis.call('HSET', rk, 'error', err) end
  redis.call('HDEL', rk, 'blocked', 'parked')
  redis.call('SREM', k('open', info[2]), run)
  if info[3] then leave_limits(run, info[3]) end
  if info[4] then redis.call('LREM', info[4], 0, run) end
  for _, unit in ipairs(units_of(run)) do redis.call('DEL', k('u', unit)) end
  redis.call('DEL', k('run', run, 'u'), k('run', run, 'bl'))
  local parts = parts_of(run)
  for _, asset in ipairs(assets_of(run)) do
    for _, p in ipairs(parts) do
      local settled = hget(k('run', run, 'parts'), asset .. '|' .. p[1])
      if hget(k('held', asset), p[1]) == run then
        if not settled or settled == '' then
          set_cell(asset, p[2], p[3], nil, IDLE)
          if status ~= 'SUCCESS' then set_last(asset, p[2], p[3], run, status, at) end
        end
        release(asset, p[1], run, at)
      end
    end
  end
  local bf = hget(rk, 'backfill')
  if bf then count_in_backfill(bf, run, status, at) end
  event(run, 'run.ended', at, cjson.encode({ status = status, job = info[2], reason = reason or '' }))
  -- The policy of its job: a pulse makes the next run when it is due. What was wrong from the beginning stays wrong.
  if info[5] and status == 'FAILURE' and reason ~= 'config_invalid' then
    local due = at + tonumber(info[5])
    redis.call('HSET', rk, 'blocked', 'its job runs it again ' .. math.ceil(tonumber(info[5]) / 1000) .. ' s after its end')
    redis.call('ZADD', k('retries'), due, run)
    event(run, 'run.retry_planned', at, cjson.encode({ due = due }))
  end
end

-- After a unit has ended: the next task, stage or step, or the end of the run.
local function after_unit(run, at)
  local rk = k('run', run)
  local open = redis.call('HINCRBY', rk, 'open', -1)
  local info = redis.call('HMGET', rk, 'status', 'stage', 'step', 'step_failed', 'n_fail', 'fail_error', 'fail_reason')
  if info[1] == 'CANCELING' then
    if open <= 0 then end_run(run, 'CANCELED', 'cancelled', nil, at) end
    return
  end
  local nxt = redis.call('LPOP', k('run', run, 'bl'))
  if nxt then claim_or_park_unit(nxt, at) end
  if open > 0 then return end
  local steps = steps_of(run)
  local index = tonumber(info[3] or '0')
  local step = steps[index + 1]
  step.index = index
  if info[2] == 'tasks' then
    local opts = redis.call('HMGET', rk, 'priority', 'lane')
    redis.call('HSET', rk, 'stage', 'settle', 'open', 1)
    queue_unit(make_unit(run, step, 'settle', 'settle', parts_of(run), '', { prio = opts[1], lane = opts[2] }))
    return
  end
  if index + 1 < #steps and start_step(run, index + 1, at) then return end
  if info[4] == '1' or tonumber(info[5] or '0') > 0 then
    end_run(run, 'FAILURE', info[7] or 'user_error', info[6] or nil, at)
  else
    end_run(run, 'SUCCESS', nil, nil, at)
  end
end

-- A unit that will not be tried again: what it had to settle and did not is failed.
local function fail_unit(unit, reason, err, at)
  local uk = k('u', unit)
  local u = redis.call('HMGET', uk, 'run', 'asset', 'kind', 'parts')
  local run, kind = u[1], u[3]
  redis.call('HSET', uk, 'state', 'FAILED', 'error', err)
  redis.call('HSETNX', k('run', run), 'fail_error', err)
  redis.call('HSETNX', k('run', run), 'fail_reason', reason)
  redis.call('HSET', k('run', run), 'step_failed', '1')
  local json, parts = FAILED_RECORD .. ',"e":' .. err .. '}', cjson.decode(u[4])
  for _, p in ipairs(parts) do settle_partition(run, u[2], p, 'failed', json, at) end
  -- Whose failure is not that of some partitions is that of the asset.
  if kind == 'plan' or kind == 'settle' or #parts == 0 then redis.call('HSET', k('run', run), 'broken:' .. u[2], '1') end
  if kind == 'plan' then redis.call('HSET', k('run', run), 'stage', 'failed') end
  event(run, 'unit.failed', at, cjson.encode({ unit = unit, reason = reason }))
  after_unit(run, at)
end

-- Ends a running attempt's hold on its lease and pool.
local function end_attempt(unit, attempt)
  redis.call('ZREM', k('leases'), attempt)
  redis.call('SREM', k('cancelling'), attempt)
  leave_pool(hget(k('u', unit), 'pool') or '', attempt)
end

-- `run.step.name.attempt` → unit, attempt number.
local function split_attempt(attempt)
  local unit, n = string.match(attempt, '^(.*)%.(%d+)$')
  return unit, n
end

-- The usual end: the only partition of a run is made, and with it the run is over. The same as settling, then ending,
-- with a third of the calls; it is what most runs of most deployments do.
-- `r`: the run's job, backfill and limits.
local function end_single(run, r, asset, p, kind, json, result, attempt, pool, at, version)
  local rk = k('run', run)
  redis.call('ZREM', k('leases'), attempt)
  leave_pool(pool, attempt)
  set_cell(asset, p[2], p[3], OUTCOME[kind], IDLE)
  if kind ~= 'rehearsed' then set_last(asset, p[2], p[3], run, 'SUCCESS', at, version) end
  -- The partition's record stands in the run's own; a hash and a stream for one entry each would double the memory.
  redis.call('HSET', rk, 'status', 'SUCCESS', 'ended', at, 'part', json, kind == 'materialized' and 'n_mat' or 'n_skip', 1, 'result', result or 'null')
  redis.call('ZREM', k('runs', 'st', 'ACTIVE'), run)
  redis.call('ZADD', k('runs', 'st', 'SUCCESS'), at, run)
  redis.call('SREM', k('open', r[1]), run)
  if r[3] then leave_limits(run, r[3]) end
  redis.call('DEL', k('u', run .. '.0.m'))
  release(asset, p[1], run, at)
  if r[2] then count_in_backfill(r[2], run, 'SUCCESS', at) end
  -- One event for both: the partition is the run.
  tell('run.ended', at, run, cjson.encode({ status = 'SUCCESS', job = r[1], reason = '', asset = asset, key = p[1], outcome = kind }))
end

-- The unit when this attempt is the one that runs it and its token is the current one; nil otherwise.
-- Second result: its run, asset, kind, parts, attempt and pool.
local function owned_unit(attempt, epoch)
  local unit, n = split_attempt(attempt)
  if not unit then return nil end
  local u = redis.call('HMGET', k('u', unit), 'run', 'asset', 'kind', 'parts', 'attempt', 'pool', 'state', 'epoch')
  if u[7] ~= 'RUNNING' or u[5] ~= n or u[8] ~= epoch then
    redis.call('HINCRBY', k('stats'), 'fenced_commits', 1)
    return nil
  end
  return unit, u
end
