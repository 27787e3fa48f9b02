-- Ends attempts: checks each token, records outcomes, readies what follows or ends the run. A worker that goes on is given
-- the next attempt of those that wait, begun, in the place of each.
-- ARGV: worker ('' gets none), lease (ms), assets whose attempts begin elsewhere as `|a|b|`; then four an attempt:
-- attempt, epoch, verdict (ok | failed | cancelled | handed_on), JSON:
--   ok: { outcomes: [[key, kind, json], …], result, tasks: [[name, parts, input], …], max, version }
--   failed: { error: json text, reason, retry_in: ms or -1, version }
-- Returns: two for each: ok | fenced, and nil or the next one: its id and, unless it begins elsewhere, what begin.lua gives
-- include: base cells queue limits runs begin
local at = now_ms()

-- For another attempt; what was settled of it stays so.
local function prepare_again(unit, run, asset, kind, parts)
  redis.call('HINCRBY', k('u', unit), 'attempt', 1)
  if kind ~= 'm' and kind ~= 'task' then return end
  for _, p in ipairs(cjson.decode(parts)) do
    local settled = hget(k('run', run, 'parts'), asset .. '|' .. p[1])
    if not settled or settled == '' then set_cell(asset, p[2], p[3], nil, QUEUED) end
  end
end

local function settle(attempt, epoch, verdict, json)
  local unit, u = owned_unit(attempt, epoch)
  if not unit then return 'fenced' end
  local v = cjson.decode(json)
  local uk = k('u', unit)
  local run, asset, kind = u[1], u[2], u[3]
  local rk = k('run', run)
  local r = redis.call('HMGET', rk, 'status', 'single', 'job', 'backfill', 'limits')
  local canceling = r[1] == 'CANCELING'
  if v.version then redis.call('HSET', rk, 'version', v.version) end
  if verdict == 'ok' and r[2] == '1' and not canceling and #v.outcomes == 1 and v.outcomes[1][2] ~= 'failed' then
    local o = v.outcomes[1]
    end_single(run, { r[3], r[4], r[5] }, asset, cjson.decode(u[4])[1], o[2], o[3], v.result, attempt, u[6], at, v.version)
    return 'ok'
  end
  end_attempt(unit, attempt)
  note(run, 'unit.ended', at, cjson.encode({ unit = unit, attempt = tonumber(u[5]), verdict = verdict }))

  if verdict == 'cancelled' or (canceling and (verdict == 'failed' or verdict == 'handed_on' or kind == 'plan')) then
    redis.call('HSET', uk, 'state', 'CANCELED')
    for _, p in ipairs(cjson.decode(u[4])) do set_cell(asset, p[2], p[3], nil, IDLE) end
    after_unit(run, at)
    return 'ok'
  end

  if verdict == 'handed_on' then
    prepare_again(unit, run, asset, kind, u[4])
    queue_lost(unit)
    event(run, 'attempt.handed_on', at, cjson.encode({ unit = unit, attempt = tonumber(u[5]) }))
    return 'ok'
  end

  if verdict == 'failed' then
    if v.retry_in >= 0 then
      redis.call('HINCRBY', uk, 'fails', 1)
      prepare_again(unit, run, asset, kind, u[4])
      redis.call('HSET', uk, 'state', 'DELAYED', 'error', v.error)
      redis.call('ZADD', k('delayed'), at + v.retry_in, unit)
      event(run, 'attempt.failed', at, cjson.encode({ unit = unit, attempt = tonumber(u[5]), retry_in_ms = v.retry_in, error = cjson.decode(v.error) }))
      return 'ok'
    end
    fail_unit(unit, v.reason, v.error, at)
    return 'ok'
  end

  -- The work is done; what it settled counts even when a cancellation came in the same moment.
  redis.call('HSET', uk, 'state', 'SUCCEEDED')
  local by_key = {}
  for _, p in ipairs(kind == 'settle' and parts_of(run) or cjson.decode(u[4])) do by_key[p[1]] = p end
  for _, o in ipairs(v.outcomes or {}) do
    local p = by_key[o[1]]
    if p and not settle_partition(run, asset, p, o[2], o[3], at, v.version) and kind == 'settle' and o[2] == 'failed' then
      fail_checked(run, asset, p, o[3], at)
    end
  end
  if kind == 'plan' then
    local parts, seen = parts_of(run), {}
    for _, p in ipairs(parts) do seen[p[1]] = true end
    local r = redis.call('HMGET', rk, 'priority', 'job', 'on_busy', 'step')
    local step = steps_of(run)[tonumber(r[4]) + 1]
    step.index = tonumber(r[4])
    local units = {}
    for _, task in ipairs(v.tasks) do
      local lane = r[2] .. '|' .. (task[2][1] and task[2][1][2] or '')
      local taken
      if r[3] and r[3] ~= 'wait' then
        local held_asset, held_key, holder = first_held(run, { asset }, task[2])
        if held_asset then taken = 'partition ' .. held_key .. ' is held by run ' .. holder end
      end
      for _, p in ipairs(task[2]) do
        if not seen[p[1]] then
          seen[p[1]] = true
          parts[#parts + 1] = p
          redis.call('HINCRBY', rk, 'total', 1)
        end
        if taken then settle_partition(run, asset, p, 'rehearsed', cjson.encode({ o = 'skipped', reason = taken }), at) end
      end
      if not taken then units[#units + 1] = make_unit(run, step, 't-' .. task[1], 'task', task[2], task[3], { prio = r[1], lane = lane }) end
    end
    redis.call('HSET', rk, 'parts', #parts > 0 and cjson.encode(parts) or '[]', 'stage', 'tasks', 'open', #units)
    if #units == 0 then
      redis.call('HSET', rk, 'open', 1)
      after_unit(run, at)
      return 'ok'
    end
    local max = v.max and v.max > 0 and v.max or #units
    for i, made in ipairs(units) do
      if i <= max then claim_or_park_unit(made, at) else redis.call('RPUSH', k('run', run, 'bl'), made) end
    end
    event(run, 'run.planned', at, cjson.encode({ tasks = #units }))
    return 'ok'
  end
  -- Of many partitions none's facts are the run's result.
  if v.result and (kind ~= 'm' or #parts_of(run) == 1) then redis.call('HSET', kind == 'task' and uk or rk, 'result', v.result) end
  if kind == 'task' then
    -- A settled task has nothing more to settle: its own list is what remains of it.
    redis.call('HDEL', uk, 'ckpt')
  end
  after_unit(run, at)
  return 'ok'
end

local worker, lease, elsewhere = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local function next_attempt()
  while worker ~= '' do
    local attempt = pop_ready()
    if not attempt then return false end
    local unit = split_attempt(attempt)
    if elsewhere ~= '' and string.find(elsewhere, '|' .. (hget(k('u', unit), 'asset') or '') .. '|', 1, true) then return { attempt } end
    local begun = begin_attempt(attempt, worker, lease, at)
    if begun then return { attempt, begun } end
  end
  return false
end

local out = {}
sum_counts()
for i = 4, #ARGV, 4 do
  out[#out + 1] = settle(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  out[#out + 1] = next_attempt()
end
write_counts()
return out
