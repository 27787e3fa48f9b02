-- The queue of units: for each pool and priority a ring of lanes (job and tenant), for each lane a list of units, so
-- that admission goes round the tenants. A unit is one thing to attempt: a partition, a plan, a task, a settle.

local function queue_key(pool, prio) return k('q', pool, prio) end
local function lane_key(pool, prio, lane) return k('q', pool, prio, 'lane', lane) end

-- What a lost worker was at waits in a lane of its own, which stays at the head of the ring: it was admitted in its turn
-- before, and must not wait for another one round all tenants. A unit is lost a few times at most, so this starves nobody.
local LOST_LANE = ''

-- `front` is for units that were already admitted once: retries.
local function enqueue(unit, pool, prio, lane, front, marked)
  if not marked then redis.call('HSET', k('u', unit), 'state', 'QUEUED') end
  local lk = lane_key(pool, prio, lane)
  local n = redis.call(front and 'LPUSH' or 'RPUSH', lk, unit)
  if n == 1 then
    redis.call(lane == LOST_LANE and 'LPUSH' or 'RPUSH', queue_key(pool, prio), lane)
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

local function queue_lost(unit)
  local u = redis.call('HMGET', k('u', unit), 'pool', 'prio')
  enqueue(unit, u[1], u[2], LOST_LANE, false)
end

-- Of what is out, `ready` holds those that nobody was rung for, because every slot was taken: a worker takes the next as
-- it settles. By priority, then by age; priorities lie within ±1,000, so that the sum is exact.
local AGE = 2e12

-- The age of what goes out now: the time, or one more than the last where many go at once, so that they keep the order
-- in which they went round the lanes.
local place = nil
local function next_place(at)
  place = math.max(at, (place or tonumber(hget(k('meta'), 'place') or '0')) + 1)
  redis.call('HSET', k('meta'), 'place', string.format('%.0f', place))
  return place
end

-- Bells that were rung and not answered yet.
local function rung() return redis.call('ZCARD', k('outbox')) - redis.call('ZCARD', k('ready')) end

-- Slots of the workers that are alive and hear bells, less those that work and those that a bell was rung for. How many
-- attempts the others are at, is as old as their last beat.
local idle = nil
local function idle_slots()
  if not idle then
    local m = redis.call('HMGET', k('meta'), 'slots', 'own_busy')
    local at_work = math.max(0, redis.call('ZCARD', k('leases')) - tonumber(m[2] or '0'))
    idle = tonumber(m[1] or '0') - at_work - rung()
  end
  return idle
end

-- Out, with its slot in the pool. Gives the attempt when a bell is to be rung for it. `since`: how old it counts as.
local function send_unit(unit, attempt, pool, prio, at, resend, since)
  local id = unit .. '.' .. attempt
  local ring = idle_slots() > 0
  idle = idle - 1
  redis.call('ZADD', k('outbox'), at + resend, id)
  if not ring then redis.call('ZADD', k('ready'), (since or next_place(at)) - tonumber(prio) * AGE, id) end
  if pool ~= '' then redis.call('SADD', k('pool', pool), id) end
  return ring and id or nil
end

-- The best of those that wait, and its priority; nil when none does.
local function pop_ready()
  local best = redis.call('ZPOPMIN', k('ready'))
  if #best == 0 then return nil end
  return best[1], -math.floor(tonumber(best[2]) / AGE)
end

local function leave_pool(pool, attempt)
  if pool ~= '' then redis.call('SREM', k('pool', pool), attempt) end
end

-- What is out and not begun is bounded by the slots of the workers that are alive: twice as many keep them fed between
-- two admissions, and what comes later still decides its place. So few are out where no worker is known yet.
local FEWEST_OUT = 16
local window, own = nil, nil

-- How many more units of this pool and priority may go out: the one answer, for those that queue and for those that
-- need not. Backfills (negative priorities) leave a fifth of the window and of every pool to live work; what is above
-- the usual priority goes out even when the window is full, and the bell puts it first.
local function room_for(pool, prio)
  window = window or math.max(FEWEST_OUT, 2 * tonumber(hget(k('meta'), 'slots') or '0'))
  local rank = tonumber(prio)
  local out = window
  if rank < 0 then out = window - math.floor(window / 5) elseif rank > 0 then out = 2 * window end
  local room = out - redis.call('ZCARD', k('outbox'))
  if pool ~= '' then
    -- Workers of this pool only are fed, however much others leave lying.
    own = own or cjson.decode(hget(k('meta'), 'own') or '{}')
    if own[pool] then room = math.max(room, 2 * own[pool] - redis.call('SCARD', k('pool', pool))) end
  end
  if pool == '' or room <= 0 then return room end
  local limit = pool_limit(pool)
  if rank < 0 and limit >= 2 then limit = limit - math.max(1, math.floor(limit / 5)) end
  return math.min(room, limit - redis.call('SCARD', k('pool', pool)))
end
