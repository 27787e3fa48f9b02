-- Takes ended runs out of the ledger, after they are in a file of history. Run keys, last materializations, partition
-- states and counters stay: they are what keeps a run from happening twice.
-- ARGV: token of the maintenance lock, then run, end (ms) pairs as they were archived
-- Returns: number of runs taken out, or -1 when the lock is not the caller's any more
-- include: base
if redis.call('GET', k('lock', 'maintenance')) ~= ARGV[1] then return -1 end
local ENDS = { SUCCESS = true, FAILURE = true, CANCELED = true }
local gone = 0
for i = 2, #ARGV, 2 do
  local run = ARGV[i]
  local rk = k('run', run)
  local r = redis.call('HMGET', rk, 'status', 'job', 'ended')
  -- A restored ledger may know the run as one that still goes on.
  if ENDS[r[1]] and r[3] == ARGV[i + 1] then
    redis.call('UNLINK', rk, k('run', run, 'parts'), k('run', run, 'ev'), k('run', run, 'log'))
    redis.call('ZREM', k('runs'), run)
    redis.call('ZREM', k('runs', 'job', r[2]), run)
    redis.call('ZREM', k('runs', 'st', r[1]), run)
    gone = gone + 1
  end
end
-- Whoever remembers what history holds looks again.
if gone > 0 then redis.call('HINCRBY', k('meta'), 'archived', gone) end
return gone
