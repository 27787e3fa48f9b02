-- Replaces a document that people keep by name, if it still is the one that the change builds on.
-- ARGV: kind, name, the document that must be there ('' = none), the new one ('' = none), most of its kind
-- Returns: 1; 0 when another one is there by now; -1 when there are as many as may be
-- include: base
local key = k('saved', ARGV[1])
local before = redis.call('HGET', key, ARGV[2]) or ''
if before ~= ARGV[3] then return 0 end
if ARGV[4] == '' then
  redis.call('HDEL', key, ARGV[2])
  return 1
end
if before == '' and redis.call('HLEN', key) >= tonumber(ARGV[5]) then return -1 end
redis.call('HSET', key, ARGV[2], ARGV[4])
return 1
