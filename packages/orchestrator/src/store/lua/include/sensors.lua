-- Sensors and schedules: their switch, cursor with version and generation, and the one tick that may be under way.

local function tick_key(id) return k('tick', id) end

local function cursor_history(name, version, at, by, reason, before, after)
  redis.call('XADD', k('sensor', name, 'hist'), 'MAXLEN', '~', 2000, '*', 'v', version, 'at', at, 'by', by, 'reason', reason,
    'before', before, 'after', after)
end

-- Ends a tick's record. `more` is a flat list of further fields.
local function end_tick(name, id, status, decision, reason, at, more)
  redis.call('HSET', tick_key(id), 'status', status, 'decision', decision, 'reason', reason or '', 'ended', at, unpack(more or {}))
  local sk = k('sensor', name)
  if hget(sk, 'tick') == id then redis.call('HDEL', sk, 'tick', 'tick_deadline') end
  redis.call('HSET', sk, 'last_tick', id, 'last_decision', decision, 'last_reason', reason or '', 'last_ended', at)
  if status == 'FAILURE' then redis.call('HINCRBY', sk, 'error_streak', 1) else redis.call('HSET', sk, 'error_streak', 0) end
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'tick.ended', 'at', at,
    'd', cjson.encode({ sensor = name, tick = id, decision = decision }))
  -- Old ticks go, the newest stay.
  local ids = redis.call('ZRANGE', k('ticks', name), 0, -1001)
  for _, old in ipairs(ids) do
    redis.call('DEL', tick_key(old))
    redis.call('ZREM', k('ticks', name), old)
  end
end

-- Opens a tick and gives its id; the caller has made sure that none is under way.
local function open_tick(name, at, deadline, trigger)
  local sk = k('sensor', name)
  local epoch = redis.call('HINCRBY', sk, 'tick_epoch', 1)
  local id = name .. '.' .. epoch
  redis.call('HSET', sk, 'tick', id, 'tick_deadline', deadline)
  redis.call('HSET', tick_key(id), 'sensor', name, 'status', 'STARTED', 'started', at, 'trigger', trigger)
  redis.call('ZADD', k('ticks', name), at, id)
  return id
end

-- True when a tick of this sensor is under way; one whose time is over is ended as lost first.
local function tick_under_way(name, at)
  local t = redis.call('HMGET', k('sensor', name), 'tick', 'tick_deadline')
  if not t[1] then return false end
  if tonumber(t[2]) > at then return true end
  end_tick(name, t[1], 'FAILURE', 'timed_out', 'The tick did not end in time: its worker was lost or took too long.', at)
  return false
end
