-- Sets or forgets the last outcome of idle partitions of one row.
-- ARGV: asset, row, outcome (missing | materialized | skipped), by, columns as JSON ('' = every column of the row),
--   1 for a preview, which changes nothing
-- Returns: number changed, or that would be; number left alone because they are queued or running
-- include: base cells
local at = now_ms()
local asset, row = ARGV[1], ARGV[2]
local outcome = OUTCOME[ARGV[3]]
local key = k('st', asset, row)
local cols
if ARGV[5] ~= '' then
  cols = cjson.decode(ARGV[5])
else
  cols = {}
  for c = 0, redis.call('STRLEN', key) * 2 - 1 do cols[#cols + 1] = c end
end
local changed, busy, preview = 0, 0, ARGV[6] == '1'
for _, col in ipairs(cols) do
  local old = redis.call('BITFIELD', key, 'GET', 'u4', '#' .. col)[1]
  if old % 4 ~= 0 then
    busy = busy + 1
  else
    if math.floor(old / 4) ~= outcome then
      if not preview then set_cell(asset, row, col, outcome, nil) end
      changed = changed + 1
    end
    if outcome == 0 and not preview then forget_last(asset, row, col, at) end
  end
end
if changed > 0 and not preview then
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', 'partitions.marked', 'at', at, 'd',
    cjson.encode({ asset = asset, row = row, as = ARGV[3], count = changed, by = ARGV[4] }))
end
return { changed, busy }
