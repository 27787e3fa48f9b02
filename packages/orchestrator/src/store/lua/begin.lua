-- Gives attempts their lease and their epoch, once; a bell that rings twice gets nothing the second time.
-- ARGV: worker, lease (ms), attempts
-- Returns: for each nil, or what include/begin.lua gives
-- include: base cells queue limits runs begin
local at = now_ms()
local worker, lease = ARGV[1], tonumber(ARGV[2])

local out = {}
sum_counts()
for i = 3, #ARGV do out[i - 2] = begin_attempt(ARGV[i], worker, lease, at) end
write_counts()
return out
