-- Ends a tick: its run requests, its record and the new cursor are written together, or nothing is but the record of
-- why not. A cursor that a person wrote meanwhile wins, and so does a switch that was turned off.
-- A tick that a person applied a cursor with (`set`) writes that one first, under their name, on its version or not at all.
-- ARGV: JSON { sensor, tick, version, cursor or absent, requests: [SubmitSpec], reason, lag, plan, next, log,
--   set: { cursor, by, reason } or absent }
-- Returns: decision; of a `set` that somebody wrote before, overruled and their version
-- include: base cells queue limits runs submit sensors
local at = now_ms()
local c = cjson.decode(ARGV[1])
local sk = k('sensor', c.sensor)
local s = redis.call('HMGET', sk, 'tick', 'version', 'status', 'cursor', 'generation')
if s[1] ~= c.tick then return { 'fenced' } end
local trigger = hget(tick_key(c.tick), 'trigger')
if s[3] ~= 'RUNNING' and trigger == 'timer' then
  end_tick(c.sensor, c.tick, 'SKIPPED', 'skipped', 'The sensor was stopped while this tick was evaluated; nothing was launched.', at)
  return { 'skipped' }
end
if s[2] ~= tostring(c.version) then
  end_tick(c.sensor, c.tick, 'SKIPPED', 'skipped', 'The cursor was changed while this tick was evaluated; nothing was launched, the new cursor stands.', at,
    nil, c.set)
  if s[3] == 'RUNNING' then redis.call('ZADD', k('due'), 'LT', at, c.sensor) end
  return c.set and { 'overruled', tonumber(s[2]) } or { 'skipped' }
end
if c.set then
  local version = redis.call('HINCRBY', sk, 'version', 1)
  redis.call('HSET', sk, 'cursor', c.set.cursor)
  cursor_history(c.sensor, version, at, c.set.by, c.set.reason, s[4], c.set.cursor)
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'cursor.changed', 'at', at, 'd',
    cjson.encode({ sensor = c.sensor, version = version, by = c.set.by }))
  s[4] = c.set.cursor
end
local run_ids, suppressed, requested = {}, {}, 0
sum_counts()
for _, spec in ipairs(c.requests) do
  local id, verdict = submit_run(spec, at)
  if verdict == 'new' then
    requested = requested + 1
    if #run_ids < 1000 then run_ids[#run_ids + 1] = id end
  elseif #suppressed < 1000 then
    suppressed[#suppressed + 1] = id
  end
end
write_counts()
write_indexes()
local cursor_after, version = s[4], hget(sk, 'version')
if c.cursor and c.cursor ~= s[4] then
  cursor_after = c.cursor
  version = tostring(redis.call('HINCRBY', sk, 'version', 1))
  redis.call('HSET', sk, 'cursor', c.cursor)
  cursor_history(c.sensor, version, at, 'tick:' .. c.tick, '', s[4], c.cursor)
end
note_lag(c.sensor, c.lag, version, at)
if c.plan then redis.call('HSET', sk, 'plan', c.plan) end
if c.next then redis.call('ZADD', k('due'), c.next, c.sensor) end
local decision, status = 'requested', 'SUCCESS'
if requested == 0 then
  if #c.requests > 0 then decision = 'suppressed'
  elseif cursor_after ~= s[4] then decision = 'acted'
  else decision, status = 'skipped', 'SKIPPED' end
end
end_tick(c.sensor, c.tick, status, decision, c.reason, at, { 'cursor_after', cursor_after, 'requested', requested,
  'log', c.log or '', 'suppressed', #c.requests - requested, 'runs', #run_ids > 0 and cjson.encode(run_ids) or '[]',
  'suppressed_runs', #suppressed > 0 and cjson.encode(suppressed) or '[]' })
return { decision }
