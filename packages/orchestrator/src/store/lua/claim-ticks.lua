-- Claims the ticks that are due: each by one pulse only, the next one at once in the plan. Ticks that are open longer than
-- a bell takes are looked at: what nobody has begun is rung for again, for who claimed it may have died before it rang;
-- what was lost with its worker is evaluated anew.
-- ARGV: limit, lease (ms), looks again after (ms)
-- Returns: tick ids to ring for
-- include: base sensors
local at = now_ms()
-- The last of a pulse: what says that anybody pulses.
if at - tonumber(redis.call('GET', k('pulse')) or '0') >= 1000 then redis.call('SET', k('pulse'), at) end
local limit, lease, again = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local out = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', k('open_ticks'), '-inf', at - again, 'LIMIT', 0, limit)) do
  local open = tick_under_way(name, at, lease)
  if open then
    if not hget(tick_key(open), 'worker') then out[#out + 1] = open end
    redis.call('ZADD', k('open_ticks'), at, name)
  else
    redis.call('ZREM', k('open_ticks'), name)
    redis.call('ZADD', k('due'), 'LT', at, name)
  end
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', k('due'), '-inf', at, 'LIMIT', 0, limit)) do
  local s = redis.call('HMGET', k('sensor', name), 'status', 'every')
  local every = tonumber(s[2] or '60000')
  if s[1] ~= 'RUNNING' then
    redis.call('ZREM', k('due'), name)
  elseif tick_under_way(name, at, lease) then
    redis.call('ZADD', k('due'), at + 1000, name)
  else
    out[#out + 1] = open_tick(name, at, lease, 'timer')
    redis.call('ZADD', k('due'), at + every, name)
  end
end
return out
