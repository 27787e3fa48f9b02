-- Saves an attempt's checkpoint; progress, so losses are counted anew.
-- ARGV: attempt, epoch, value
-- Returns: 1, or 0 when the attempt is fenced off
-- include: base cells queue limits runs
local unit = owned_unit(ARGV[1], ARGV[2])
if not unit then return 0 end
redis.call('HSET', k('u', unit), 'ckpt', ARGV[3], 'lost', 0)
return 1
