-- Writes runs with their indexes, claims, first units and first events; a known run key gives the first run instead.
-- ARGV: one JSON request each (shape: SubmitSpec in submit.ts)
-- Returns: for each request run id, verdict (new | suppressed | joined | refused), partition ('' unless refused)
-- include: base cells queue runs submit
local at = now_ms()
local out = {}
sum_counts()
for i = 1, #ARGV do
  local id, verdict, key = submit_run(cjson.decode(ARGV[i]), at)
  out[#out + 1] = id
  out[#out + 1] = verdict
  out[#out + 1] = key or ''
end
write_counts()
return out
