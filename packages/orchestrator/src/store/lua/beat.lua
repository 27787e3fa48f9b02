-- A worker says that it is alive and how many attempts it takes at once; the ledger keeps the sum over all that are, and
-- apart from it those of workers that take the work of some pools only.
-- ARGV: worker, about it as JSON with its `concurrency` and, of some pools only, its `pools` ('' when it leaves), counts as gone after (ms)
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
local slots, own, busy = 0, {}, 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', wk, at - tonumber(ARGV[3]), '+inf')) do
  local about = hget(ak, id)
  about = about and cjson.decode(about) or { concurrency = 0 }
  if about.pools then
    busy = busy + (about.active or 0)
    for _, pool in ipairs(about.pools) do own[pool] = (own[pool] or 0) + about.concurrency end
  else
    slots = slots + about.concurrency
  end
end
if next(own) then
  redis.call('HSET', k('meta'), 'own', cjson.encode(own), 'own_busy', busy)
else
  redis.call('HDEL', k('meta'), 'own', 'own_busy')
end
if tostring(slots) == hget(k('meta'), 'slots') then return 0 end
redis.call('HSET', k('meta'), 'slots', slots)
return 1
