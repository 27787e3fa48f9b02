-- Claims the probes that are due: each by one pulse only, the next look at once in the plan.
-- ARGV: pool, every (ms), for each
-- Returns: the pools whose probe the caller runs now
-- include: base
local at = now_ms()
local key = k('pools')
local out = {}
for i = 1, #ARGV, 2 do
  local due = tonumber(hget(key, ARGV[i] .. '|probe_due') or '0')
  if due <= at then
    redis.call('HSET', key, ARGV[i] .. '|probe_due', at + tonumber(ARGV[i + 1]))
    out[#out + 1] = ARGV[i]
  end
end
return out
