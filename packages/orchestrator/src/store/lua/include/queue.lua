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
  local l = redis.call('HMGET', k('pools'), pool .. '|set', pool .. '|live', pool .. '|default')
  return tonumber(l[1] or l[2] or l[3] or '10')
end

local function queue_unit(unit, front)
  local u = redis.call('HMGET', k('u', unit), 'pool', 'prio', 'lane')
  enqueue(unit, u[1], u[2], u[3], front)
end

-- Out to be rung for, with its slot in the pool.
local function send_unit(unit, attempt, pool, begin_by)
  local id = unit .. '.' .. attempt
  redis.call('ZADD', k('outbox'), begin_by, id)
  if pool ~= '' then redis.call('SADD', k('pool', pool), id) end
  return id
end

local function leave_pool(pool, attempt)
  if pool ~= '' then redis.call('SREM', k('pool', pool), attempt) end
end

-- What is out and not begun is bounded by the slots of the workers that are alive: twice as many keep them fed between
-- two admissions, and what comes later still decides its place. So few are out where no worker is known yet.
local FEWEST_OUT = 16
local window = nil

-- How many more units of this pool and priority may go out: the one answer, for those that queue and for those that
-- need not. Backfills (negative priorities) leave a fifth of the window and of every pool to live work; what is above
-- the usual priority goes out even when the window is full, and the bell puts it first.
local function room_for(pool, prio)
  window = window or math.max(FEWEST_OUT, 2 * tonumber(hget(k('meta'), 'slots') or '0'))
  local rank = tonumber(prio)
  local out = window
  if rank < 0 then out = window - math.floor(window / 5) elseif rank > 0 then out = 2 * window end
  local room = out - redis.call('ZCARD', k('outbox'))
  if pool == '' or room <= 0 then return room end
  local limit = pool_limit(pool)
  if rank < 0 and limit >= 2 then limit = limit - math.max(1, math.floor(limit / 5)) end
  return math.min(room, limit - redis.call('SCARD', k('pool', pool)))
end
