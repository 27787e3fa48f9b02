-- Renews leases; an attempt that is no longer its unit's is told so, one whose run is being cancelled too.
-- ARGV: lease (ms), then attempt, epoch pairs
-- Returns: one word each: ok | cancel | lost
-- include: base cells queue limits runs
local at = now_ms()
local out = {}
for i = 2, #ARGV, 2 do
  local unit, n = split_attempt(ARGV[i])
  local u = redis.call('HMGET', k('u', unit), 'state', 'attempt', 'epoch')
  if u[1] ~= 'RUNNING' or u[2] ~= n or u[3] ~= ARGV[i + 1] then
    out[#out + 1] = 'lost'
  else
    redis.call('ZADD', k('leases'), 'XX', at + tonumber(ARGV[1]), ARGV[i])
    out[#out + 1] = redis.call('SISMEMBER', k('cancelling'), ARGV[i]) == 1 and 'cancel' or 'ok'
  end
end
return out
