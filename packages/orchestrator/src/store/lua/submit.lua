-- Writes runs with their indexes, claims, first units and first events; a known run key gives the first run instead.
-- What may go at once does not queue: the caller rings for it.
-- ARGV: resend after (ms), then one JSON request each (shape: SubmitSpec in submit.ts)
-- Returns: for each request run id, verdict (new | suppressed | joined | refused), partition ('' unless refused), attempt
-- to ring for or '', priority
-- include: base cells queue limits runs submit
local at = now_ms()
local resend = tonumber(ARGV[1])
local out = {}
sum_counts()
for i = 2, #ARGV do
  local spec = cjson.decode(ARGV[i])
  local id, verdict, key, attempt = submit_run(spec, at, resend)
  out[#out + 1] = id
  out[#out + 1] = verdict
  out[#out + 1] = key or ''
  out[#out + 1] = attempt or ''
  out[#out + 1] = tostring(spec.priority)
end
write_counts()
write_indexes()
return out
