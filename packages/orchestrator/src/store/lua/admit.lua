-- Picks the next units by priority, then round the pools, then round the tenants, within the window and the limits of
-- pools and runs, and moves them to the outbox as sent. First those that are out already and that a slot has become free
-- for.
-- ARGV: limit, resend after (ms), slots that the caller itself has free
-- Returns: backfills that wait for expansion, units that were sent, then attempt id and priority of each to ring for
-- include: base cells queue limits runs
local at = now_ms()
local limit, resend = tonumber(ARGV[1]), tonumber(ARGV[2])
local out = { redis.call('SCARD', k('bf:live')), 0 }
local sent = 0

-- A lost worker's leases count as work until they end; what the caller has free is free, but for those of its slots that
-- the bells which were rung already will take. One more bell would have its unit overtaken by all that wait for a slot,
-- until nobody has answered it for `resend`.
local free = tonumber(ARGV[3] or '0') - rung()
for _ = 1, math.min(limit, math.max(idle_slots(), free)) do
  local attempt, prio = pop_ready()
  if not attempt then break end
  out[#out + 1] = attempt
  out[#out + 1] = tostring(prio)
  idle, sent = idle - 1, sent + 1
end

-- Sends as many units of one pool and priority as there is `room` for, round its lanes; gives whether there was one.
local function send_from(pool, prio, room)
  local before, ring = sent, queue_key(pool, prio)
  while room > 0 do
    local lane = redis.call('LPOP', ring)
    if not lane then
      redis.call('ZREM', k('queues'), pool .. '|' .. prio)
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
  return sent > before
end

-- Pools of one priority share the room: each may take its part, then what the others left. Who was first comes last the
-- next time, so that none goes without where room is for one at a time.
local function send_priority(prio, pools)
  local turn, start = 'turn:' .. prio, 0
  local last = #pools > 1 and hget(k('meta'), turn)
  for i, pool in ipairs(pools) do
    if pool == last then start = i end
  end
  local first
  for pass = 1, math.min(2, #pools) do
    for i = 0, #pools - 1 do
      local pool = pools[(start + i) % #pools + 1]
      local room = math.min(limit - sent, room_for(pool, prio))
      if pass == 1 then room = math.ceil(room / (#pools - i)) end
      if send_from(pool, prio, room) then first = first or pool end
    end
    if not first then return end
  end
  if #pools > 1 then redis.call('HSET', k('meta'), turn, first) end
end

local entries = redis.call('ZRANGE', k('queues'), 0, -1)
local i = 1
while i <= #entries and sent < limit do
  local pool, prio = string.match(entries[i], '^(.*)|(-?%d+)$')
  local pools, this = {}, prio
  while this == prio do
    pools[#pools + 1], i = pool, i + 1
    pool, this = string.match(entries[i] or '', '^(.*)|(-?%d+)$')
  end
  send_priority(prio, pools)
end
out[2] = sent
return out
