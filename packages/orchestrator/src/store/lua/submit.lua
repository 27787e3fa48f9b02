-- Writes runs with their indexes, claims, first units and first events; a known run key gives the first run instead.
-- What may go at once does not queue: the caller rings for it.
-- ARGV: window, resend after (ms), then one JSON request each (shape: SubmitSpec in submit.ts)
-- Returns: for each request run id, verdict (new | suppressed | joined | refused), partition ('' unless refused), attempt
-- to ring for or ''
-- include: base cells queue runs submit
local at = now_ms()
local lane = { tonumber(ARGV[1]), tonumber(ARGV[2]) }
local out = {}
sum_counts()
for i = 3, #ARGV do
  local id, verdict, key, attempt = submit_run(cjson.decode(ARGV[i]), at, lane)
  out[#out + 1] = id
  out[#out + 1] = verdict
  out[#out + 1] = key or ''
  out[#out + 1] = attempt or ''
end
write_counts()
return out
