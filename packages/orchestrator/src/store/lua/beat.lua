-- A worker says that it is alive and how many attempts it takes at once; the ledger keeps the sum over all that are.
-- ARGV: worker, about it as JSON with its `concurrency` ('' when it leaves), counts as gone after (ms)
-- Returns: 1 when the sum has changed
-- include: base
local at = now_ms()
local wk, ak = k('workers'), k('workers', 'about')
if ARGV[2] == '' then
  redis.call('ZREM', wk, ARGV[1])
  redis.call('HDEL', ak, ARGV[1])
else
  redis.call('ZADD', wk, at, ARGV[1])
  redis.call('HSET', ak, ARGV[1], ARGV[2])
end
local slots = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', wk, at - tonumber(ARGV[3]), '+inf')) do
  local about = hget(ak, id)
  slots = slots + (about and cjson.decode(about).concurrency or 0)
end
if tostring(slots) == hget(k('meta'), 'slots') then return 0 end
redis.call('HSET', k('meta'), 'slots', slots)
return 1
