-- Submits the next runs of a backfill and moves its position, together; a pulse that was overtaken changes nothing.
-- ARGV: backfill, position that must be current, next position, partitions passed over, done (1 | 0), one JSON request each
-- Returns: 1, or 0 when the position is another or the backfill is not in progress
-- include: base cells queue limits runs submit
local at = now_ms()
local bk = k('bf', ARGV[1])
local b = redis.call('HMGET', bk, 'status', 'position')
if b[1] ~= 'IN_PROGRESS' or b[2] ~= ARGV[2] then return 0 end
local requested, passed = 0, tonumber(ARGV[4])
sum_counts()
for i = 6, #ARGV do
  local _, verdict = submit_run(cjson.decode(ARGV[i]), at)
  if verdict == 'new' then requested = requested + 1 else passed = passed + 1 end
end
write_counts()
write_indexes()
redis.call('HINCRBY', bk, 'requested', requested)
redis.call('HINCRBY', bk, 'passed', passed)
redis.call('HSET', bk, 'position', ARGV[3])
if ARGV[5] == '1' then
  redis.call('HSET', bk, 'expanded', '1')
  redis.call('SREM', k('bf:live'), ARGV[1])
  finish_backfill(ARGV[1], at)
end
return 1
