-- Outbox entries that nobody has begun for a while, to be handed to the queue again: a queue may lose, the ledger not.
-- Those that nobody was rung for wait for a slot and are not lost.
-- ARGV: resend after (ms), limit
-- Returns: attempt id and priority of each
-- include: base
local at = now_ms()
local due = redis.call('ZRANGEBYSCORE', k('outbox'), '-inf', at, 'LIMIT', 0, tonumber(ARGV[2]))
local out = {}
for _, attempt in ipairs(due) do
  redis.call('ZADD', k('outbox'), at + tonumber(ARGV[1]), attempt)
  if not redis.call('ZSCORE', k('ready'), attempt) then
    out[#out + 1] = attempt
    out[#out + 1] = hget(k('u', string.match(attempt, '^(.*)%.%d+$')), 'prio') or '0'
  end
end
return out
