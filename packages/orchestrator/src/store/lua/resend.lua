-- Outbox entries that nobody has begun for a while, to be handed to the queue again: a queue may lose, the ledger not.
-- ARGV: resend after (ms), limit
-- Returns: attempt ids
-- include: base
local at = now_ms()
local due = redis.call('ZRANGEBYSCORE', k('outbox'), '-inf', at, 'LIMIT', 0, tonumber(ARGV[2]))
for _, attempt in ipairs(due) do redis.call('ZADD', k('outbox'), at + tonumber(ARGV[1]), attempt) end
return due
