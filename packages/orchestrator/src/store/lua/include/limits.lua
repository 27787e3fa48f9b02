-- Limits of runs: of a job, of a tag. A run's field `limits` lists them as [slot, rule]: a slot is the set of the runs
-- that hold it, a rule's number stands with the definitions. A run takes all its slots or none, when its first unit is
-- admitted, and gives them back when it ends. One that finds a slot full stands aside until one is free, so that what
-- comes after it in its lane is not held up.

local function limit_of(rule) return tonumber(hget(k('limits'), rule) or '') or math.huge end

local function describe_limit(slot, most)
  local kind, name = string.match(slot, '^(%a+):(.*)$')
  return 'the limit of ' .. most .. (most == 1 and ' run' or ' runs') .. ' at once ' ..
    (kind == 'job' and 'of the job ' or 'with the tag ') .. name .. ' is reached'
end

-- True when the run has its slots now; otherwise its unit stands aside behind the first that is full.
local function take_limits(run, unit, json)
  local limits = cjson.decode(json)
  for _, l in ipairs(limits) do
    local most = limit_of(l[2])
    if redis.call('SCARD', k('act', l[1])) >= most then
      if redis.call('RPUSH', k('run', run, 'aside'), unit) == 1 then
        redis.call('RPUSH', k('aside', l[1]), run)
        redis.call('HSET', k('aside'), l[1], l[2])
        redis.call('HSET', k('run', run), 'blocked', describe_limit(l[1], most))
      end
      return false
    end
  end
  for _, l in ipairs(limits) do redis.call('SADD', k('act', l[1]), run) end
  return true
end

-- Back into the queue with the runs that stand aside for a slot, as many as there is room for.
local function wake_limit(slot, rule)
  local room = limit_of(rule) - redis.call('SCARD', k('act', slot))
  while room > 0 do
    local run = redis.call('LPOP', k('aside', slot))
    if not run then
      redis.call('HDEL', k('aside'), slot)
      return
    end
    local rk, ak = k('run', run), k('run', run, 'aside')
    if hget(rk, 'status') == 'QUEUED' then
      redis.call('HDEL', rk, 'blocked')
      local units = redis.call('LRANGE', ak, 0, -1)
      for i = #units, 1, -1 do
        if hget(k('u', units[i]), 'state') == 'QUEUED' then queue_unit(units[i], true) end
      end
      room = room - 1
    end
    redis.call('DEL', ak)
  end
end

local function leave_limits(run, json)
  for _, l in ipairs(cjson.decode(json)) do
    if redis.call('SREM', k('act', l[1]), run) == 1 then wake_limit(l[1], l[2]) end
  end
  redis.call('DEL', k('run', run, 'aside'))
end
