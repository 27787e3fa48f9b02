-- How far an attempt says it is: its unit's part of the run's progress, which is the sum over the units that said so.
-- What an earlier attempt of the unit said is replaced, not added to.
-- ARGV: attempt, done, total, note
-- Returns: 1, or 0 when the attempt is not running any more
-- include: base
local unit, n = string.match(ARGV[1], '^(.*)%.(%d+)$')
if not unit then return 0 end
local u = redis.call('HMGET', k('u', unit), 'run', 'attempt', 'state', 'progress')
if u[3] ~= 'RUNNING' or u[2] ~= n then return 0 end
local rk = k('run', u[1])
local sum = cjson.decode(hget(rk, 'progress') or '{"done":0,"total":0}')
local before = cjson.decode(u[4] or '[0,0]')
local done, total = tonumber(ARGV[2]), tonumber(ARGV[3])
local now = cjson.encode({ done = sum.done - before[1] + done, total = sum.total - before[2] + total, note = ARGV[4] })
redis.call('HSET', k('u', unit), 'progress', cjson.encode({ done, total }))
redis.call('HSET', rk, 'progress', now)
tell('run.progress', now_ms(), u[1], now)
return 1
