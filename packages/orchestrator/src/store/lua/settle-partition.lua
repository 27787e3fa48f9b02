-- Settles one partition of a running task, for good.
-- ARGV: attempt, epoch, key, kind, json, version of the code or ''
-- Returns: 1, 0 when the attempt is fenced off, -1 when the task does not have that partition
-- include: base cells queue limits runs
local unit, u = owned_unit(ARGV[1], ARGV[2])
if not unit then return 0 end
for _, p in ipairs(cjson.decode(u[4])) do
  if p[1] == ARGV[3] then
    settle_partition(u[1], u[2], p, ARGV[4], ARGV[5], now_ms(), ARGV[6])
    redis.call('HSET', k('u', unit), 'lost', 0)
    return 1
  end
end
return -1
