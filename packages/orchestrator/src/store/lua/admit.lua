-- Picks the next units by priority, then round the tenants, within the limits of pools and jobs, and moves them to the
-- outbox as sent. The number that is out but not begun is bounded by `window`, so the ledger, not the queue, decides order.
-- ARGV: limit, window, resend after (ms)
-- Returns: number of backfills that wait for expansion, then the attempt ids to hand to the queue
-- include: base cells queue runs
local at = now_ms()
local limit, window, resend = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local room = math.min(limit, window - redis.call('ZCARD', k('outbox')))
local out = { redis.call('SCARD', k('bf:live')) }
if room <= 0 then return out end
room = room + 1 -- `out` begins with the count
local full_jobs = {}

local function job_has_room(run, job, max)
  if max == 0 then return true end
  if redis.call('SISMEMBER', k('act', job), run) == 1 then return true end
  if full_jobs[job] then return false end
  if redis.call('SCARD', k('act', job)) < max then return true end
  full_jobs[job] = true
  return false
end

for _, entry in ipairs(redis.call('ZRANGE', k('queues'), 0, -1)) do
  if #out >= room then break end
  local pool, prio = string.match(entry, '^(.*)|(-?%d+)$')
  local ring = queue_key(pool, prio)
  local free = pool_limit(pool)
  -- Backfills (negative priorities) leave a fifth of every pool, and of the window, to live work.
  local ceiling = room
  if tonumber(prio) < 0 then
    if free >= 2 and free < math.huge then free = free - math.max(1, math.floor(free / 5)) end
    ceiling = math.min(room, room - math.floor(window / 5))
  end
  if pool ~= '' then free = free - redis.call('SCARD', k('pool', pool)) end
  local misses = 0
  while free > 0 and #out < ceiling do
    local lane = redis.call('LPOP', ring)
    if not lane then
      redis.call('ZREM', k('queues'), entry)
      break
    end
    local lk = lane_key(pool, prio, lane)
    local unit = redis.call('LPOP', lk)
    local back = true
    if not unit then
      back = false
    else
      local u = redis.call('HMGET', k('u', unit), 'state', 'run', 'attempt')
      if u[1] == 'QUEUED' then -- otherwise it was cancelled meanwhile
        local rk = k('run', u[2])
        local r = redis.call('HMGET', rk, 'status', 'job', 'max_active')
        if job_has_room(u[2], r[2], tonumber(r[3] or '0')) then
          local attempt = unit .. '.' .. u[3]
          redis.call('HSET', k('u', unit), 'state', 'DISPATCHED')
          send_unit(unit, u[3], pool, at + resend)
          free = free - 1
          if r[1] == 'QUEUED' then
            set_status(u[2], 'QUEUED', 'STARTING', at)
            if r[3] ~= '0' then redis.call('SADD', k('act', r[2]), u[2]) end
          end
          out[#out + 1] = attempt
          misses = 0
        else
          redis.call('LPUSH', lk, unit)
          misses = misses + 1
        end
      end
      if redis.call('LLEN', lk) == 0 then back = false end
    end
    if back then
      redis.call('RPUSH', ring, lane)
      if misses > 0 and misses >= redis.call('LLEN', ring) then break end
    end
  end
end
return out
