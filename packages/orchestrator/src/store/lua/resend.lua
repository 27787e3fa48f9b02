-- Bells that nobody has answered for a while: a queue may lose them, or no slot was free after all. What they were rung
-- for waits again, as old as it is: the next worker that settles takes it, or the next admission rings anew.
-- ARGV: resend after (ms), limit
-- Returns: how many
-- include: base queue
local at = now_ms()
local resend = tonumber(ARGV[1])
local due = redis.call('ZRANGEBYSCORE', k('outbox'), '-inf', at, 'LIMIT', 0, tonumber(ARGV[2]), 'WITHSCORES')
local again = 0
for i = 1, #due, 2 do
  local attempt = due[i]
  redis.call('ZADD', k('outbox'), at + resend, attempt)
  local prio = hget(k('u', string.match(attempt, '^(.*)%.%d+$')), 'prio') or '0'
  again = again + redis.call('ZADD', k('ready'), 'NX', tonumber(due[i + 1]) - resend - tonumber(prio) * AGE, attempt)
end
return again
