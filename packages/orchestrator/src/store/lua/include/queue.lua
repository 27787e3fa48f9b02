-- The queue of units: for each pool and priority a ring of lanes (job and tenant), for each lane a list of units, so
-- that admission goes round the tenants. A unit is one thing to attempt: a partition, a plan, a task, a settle.

local function queue_key(pool, prio) return k('q', pool, prio) end
local function lane_key(pool, prio, lane) return k('q', pool, prio, 'lane', lane) end

-- `front` is for units that were already admitted once: retries and lost ones.
local function enqueue(unit, pool, prio, lane, front, marked)
  if not marked then redis.call('HSET', k('u', unit), 'state', 'QUEUED') end
  local lk = lane_key(pool, prio, lane)
  local n = redis.call(front and 'LPUSH' or 'RPUSH', lk, unit)
  if n == 1 then
    redis.call('RPUSH', queue_key(pool, prio), lane)
    -- Pools and priorities that have something queued, highest priority first.
    redis.call('ZADD', k('queues'), -tonumber(prio), pool .. '|' .. prio)
  end
end

local function pool_limit(pool)
  if pool == '' then return math.huge end
  local key = k('pools')
  return tonumber(hget(key, pool .. '|set') or hget(key, pool .. '|live') or hget(key, pool .. '|default') or '10')
end

-- Out to be rung for, with its slot in the pool.
local function send_unit(unit, attempt, pool, begin_by)
  local id = unit .. '.' .. attempt
  redis.call('ZADD', k('outbox'), begin_by, id)
  if pool ~= '' then redis.call('SADD', k('pool', pool), id) end
  return id
end

-- True when nothing waits anywhere and there is room: then a unit need not queue to be the next.
local function may_go_at_once(pool, prio, window)
  if tonumber(prio) < 0 or redis.call('EXISTS', k('queues')) == 1 then return false end
  if redis.call('ZCARD', k('outbox')) >= window then return false end
  return pool == '' or redis.call('SCARD', k('pool', pool)) < pool_limit(pool)
end

local function leave_pool(pool, attempt)
  if pool ~= '' then redis.call('SREM', k('pool', pool), attempt) end
end
