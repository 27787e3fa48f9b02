-- Picks the next units by priority, then round the tenants, within the window and the limits of pools and runs, and moves
-- them to the outbox as sent. First those that are out already and that a slot has become free for.
-- ARGV: limit, resend after (ms), slots that the caller itself has free
-- Returns: backfills that wait for expansion, units that were sent, then attempt id and priority of each to ring for
-- include: base cells queue limits runs
local at = now_ms()
local limit, resend = tonumber(ARGV[1]), tonumber(ARGV[2])
local out = { redis.call('SCARD', k('bf:live')), 0 }
local sent = 0

-- A lost worker's leases count as work until they end; what the caller has free is free.
for _ = 1, math.min(limit, math.max(idle_slots(), tonumber(ARGV[3] or '0'))) do
  local attempt, prio = pop_ready()
  if not attempt then break end
  out[#out + 1] = attempt
  out[#out + 1] = tostring(prio)
  idle, sent = idle - 1, sent + 1
end

for _, entry in ipairs(redis.call('ZRANGE', k('queues'), 0, -1)) do
  if sent >= limit then break end
  local pool, prio = string.match(entry, '^(.*)|(-?%d+)$')
  local ring = queue_key(pool, prio)
  local room = math.min(limit - sent, room_for(pool, prio))
  while room > 0 do
    local lane = redis.call('LPOP', ring)
    if not lane then
      redis.call('ZREM', k('queues'), entry)
      break
    end
    local lk = lane_key(pool, prio, lane)
    local unit = redis.call('LPOP', lk)
    local u = unit and redis.call('HMGET', k('u', unit), 'state', 'run', 'attempt')
    if u and u[1] == 'QUEUED' then -- otherwise it was cancelled meanwhile
      local r = redis.call('HMGET', k('run', u[2]), 'status', 'limits')
      if r[1] ~= 'QUEUED' or not r[2] or take_limits(u[2], unit, r[2]) then
        redis.call('HSET', k('u', unit), 'state', 'DISPATCHED')
        local attempt = send_unit(unit, u[3], pool, prio, at, resend, lane == LOST_LANE and 0 or nil)
        if attempt then
          out[#out + 1] = attempt
          out[#out + 1] = prio
        end
        room, sent = room - 1, sent + 1
        if r[1] == 'QUEUED' then set_status(u[2], 'QUEUED', 'STARTING', at) end
      end
    end
    if redis.call('LLEN', lk) > 0 then redis.call(lane == LOST_LANE and 'LPUSH' or 'RPUSH', ring, lane) end
  end
end
out[2] = sent
return out
