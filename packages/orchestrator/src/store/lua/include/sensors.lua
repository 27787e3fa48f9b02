-- Sensors and schedules: their switch, cursor with version and generation, and the one tick that may be under way.

local function tick_key(id) return k('tick', id) end

local function cursor_history(name, version, at, by, reason, before, after)
  redis.call('XADD', k('sensor', name, 'hist'), 'MAXLEN', '~', 2000, '*', 'v', version, 'at', at, 'by', by, 'reason', reason,
    'before', before, 'after', after)
end

-- The newest decisions of a sensor, a letter each, oldest first: what a list of sensors shows beside each.
local LETTERS = { requested = 'r', suppressed = 'u', acted = 'a', skipped = 's', failed = 'f', timed_out = 't' }
local RECENT = 48

-- Ends a tick's record. `more` is a flat list of further fields. What a person tried with a cursor of their own, and did
-- not save (`tried`), says nothing of how the sensor fares: failures in a row neither grow nor end with it.
local function end_tick(name, id, status, decision, reason, at, more, tried)
  redis.call('HSET', tick_key(id), 'status', status, 'decision', decision, 'reason', reason or '', 'ended', at, unpack(more or {}))
  local sk = k('sensor', name)
  if hget(sk, 'tick') == id then
    redis.call('HDEL', sk, 'tick', 'tick_deadline')
    redis.call('ZREM', k('open_ticks'), name)
  end
  local recent = string.sub((hget(sk, 'recent') or '') .. (LETTERS[decision] or 's'), -RECENT)
  redis.call('HSET', sk, 'last_tick', id, 'last_decision', decision, 'last_reason', reason or '', 'last_ended', at, 'recent', recent)
  if status == 'FAILURE' and not tried then redis.call('HINCRBY', sk, 'error_streak', 1) end
  if status ~= 'FAILURE' and not tried then redis.call('HSET', sk, 'error_streak', 0) end
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'tick.ended', 'at', at,
    'd', cjson.encode({ sensor = name, tick = id, decision = decision }))
  -- Old ticks go, the newest stay.
  local ids = redis.call('ZRANGE', k('ticks', name), 0, -1001)
  for _, old in ipairs(ids) do
    redis.call('DEL', tick_key(old))
    redis.call('ZREM', k('ticks', name), old)
  end
end

-- Turns a sensor off by itself; the version of its switch grows as with a person's.
local function pause_sensor(name, by, at)
  local sk = k('sensor', name)
  redis.call('HINCRBY', sk, 'status_version', 1)
  redis.call('HSET', sk, 'status', 'STOPPED', 'status_by', by, 'status_at', at)
  redis.call('ZREM', k('due'), name)
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'sensor.switched', 'at', at, 'd',
    cjson.encode({ sensor = name, status = 'STOPPED', by = by }))
end

-- How much of its source a sensor has before it (nil = it does not say), and since when it has at least `from` of it at
-- the same version of its cursor.
local function note_lag(name, lag, version, at)
  if not lag then return redis.call('HDEL', k('lags'), name) end
  local was = hget(k('lags'), name)
  was = was and cjson.decode(was)
  local from, since = lag, at
  if was and was.version == version and was.from <= lag then from, since = was.from, was.since end
  redis.call('HSET', k('lags'), name, cjson.encode({ lag = lag, from = from, since = since, version = version }))
end

-- Opens a tick and gives its id; the caller has made sure that none is under way.
-- After its timeout it has a quarter of a lease for its commit before it counts as lost.
local function open_tick(name, at, lease, trigger)
  local sk = k('sensor', name)
  local deadline = at + tonumber(hget(sk, 'timeout') or '60000') + math.ceil(lease / 4)
  local epoch = redis.call('HINCRBY', sk, 'tick_epoch', 1)
  local id = name .. '.' .. epoch
  redis.call('HSET', sk, 'tick', id, 'tick_deadline', deadline)
  redis.call('HSET', tick_key(id), 'sensor', name, 'status', 'STARTED', 'started', at, 'trigger', trigger)
  redis.call('ZADD', k('ticks', name), at, id)
  redis.call('ZADD', k('open_ticks'), at, name)
  return id
end

-- The tick of this sensor that is under way, or nil; one whose time is over, or whose worker has said nothing for a
-- lease, is ended as lost first.
local function tick_under_way(name, at, lease)
  local t = redis.call('HMGET', k('sensor', name), 'tick', 'tick_deadline')
  if not t[1] then return nil end
  local worker = hget(tick_key(t[1]), 'worker')
  -- Who never beats, such as a command that evaluates a tick by itself, has until the deadline.
  local heard = worker and redis.call('ZSCORE', k('workers'), worker)
  local reason
  if tonumber(t[2]) <= at then
    reason = 'The tick did not end in time: its worker was lost or took too long.'
  elseif heard and tonumber(heard) <= at - lease then
    reason = 'The worker that evaluated this tick was lost.'
  else
    return t[1]
  end
  end_tick(name, t[1], 'FAILURE', 'timed_out', reason, at)
  return nil
end
