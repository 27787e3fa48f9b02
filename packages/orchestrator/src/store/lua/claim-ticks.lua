-- Claims the ticks that are due: each by one pulse only, the next one at once in the plan.
-- ARGV: limit, margin after the timeout until a tick counts as lost (ms), names that the caller may claim (or none: all)
-- Returns: tick ids
-- include: base sensors
local at = now_ms()
local out = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', k('due'), '-inf', at, 'LIMIT', 0, tonumber(ARGV[1]))) do
  local s = redis.call('HMGET', k('sensor', name), 'status', 'every', 'timeout', 'kind', 'next')
  local every = tonumber(s[2] or '60000')
  if s[1] ~= 'RUNNING' then
    redis.call('ZREM', k('due'), name)
  elseif tick_under_way(name, at) then
    redis.call('ZADD', k('due'), at + 1000, name)
  else
    out[#out + 1] = open_tick(name, at, at + tonumber(s[3]) + tonumber(ARGV[2]), 'timer')
    redis.call('ZADD', k('due'), at + every, name)
  end
end
return out
