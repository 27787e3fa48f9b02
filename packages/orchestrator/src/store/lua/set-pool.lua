-- Changes the limit of a pool: `set` is a person's word, `live` a probe's; the former counts over the latter, both over
-- the definition's.
-- ARGV: pool, set | live, limit ('' takes the word back), by, reason, version of the word that must be current ('' = any)
-- Returns: 1, the version, the limit that counted before, the one that counts now, the word before ('' = none); or 0 and
-- the version that is current
-- include: base queue
local at = now_ms()
local pool, kind = ARGV[1], ARGV[2]
local key = k('pools')
local version = redis.call('HGET', key, pool .. '|version') or '0'
if (ARGV[6] or '') ~= '' and ARGV[6] ~= version then return { 0, tonumber(version) } end
local before, word = pool_limit(pool), redis.call('HGET', key, pool .. '|set') or ''
-- What a probe finds is no change of a person's word.
if kind == 'set' then version = redis.call('HINCRBY', key, pool .. '|version', 1) end
if ARGV[3] == '' then
  redis.call('HDEL', key, pool .. '|' .. kind, pool .. '|' .. kind .. '_by', pool .. '|' .. kind .. '_reason', pool .. '|' .. kind .. '_at')
else
  redis.call('HSET', key, pool .. '|' .. kind, ARGV[3], pool .. '|' .. kind .. '_by', ARGV[4], pool .. '|' .. kind .. '_reason', ARGV[5],
    pool .. '|' .. kind .. '_at', at)
end
local after = pool_limit(pool)
if before ~= after then
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'pool.changed', 'at', at, 'd',
    cjson.encode({ pool = pool, before = before, limit = after, by = ARGV[4], reason = ARGV[5] }))
end
return { 1, tonumber(version), before, after, word }
