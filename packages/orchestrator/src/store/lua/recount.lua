-- Recounts one row's states and compares them with its counters; repairs the row's and the asset's when asked.
-- ARGV: asset, row, repair (1 | 0)
-- Returns: JSON { counted: {o1..a3}, kept: {o1..a3}, equal }
-- include: base
local asset, row = ARGV[1], ARGV[2]
local data = redis.call('GET', k('st', asset, row)) or ''
local counted = { o1 = 0, o2 = 0, o3 = 0, a1 = 0, a2 = 0, a3 = 0 }
local function add(nibble)
  local o, a = math.floor(nibble / 4), nibble % 4
  if o > 0 then counted['o' .. o] = counted['o' .. o] + 1 end
  if a > 0 then counted['a' .. a] = counted['a' .. a] + 1 end
end
for i = 1, #data do
  local byte = string.byte(data, i)
  if byte ~= 0 then
    add(math.floor(byte / 16))
    add(byte % 16)
  end
end
local kept, equal = {}, true
for field, n in pairs(counted) do
  kept[field] = tonumber(redis.call('HGET', k('cntr', asset, row), field) or '0')
  if kept[field] ~= n then
    equal = false
    if ARGV[3] == '1' then
      redis.call('HINCRBY', k('cnt', asset), field, n - kept[field])
      redis.call('HSET', k('cntr', asset, row), field, n)
    end
  end
end
return cjson.encode({ counted = counted, kept = kept, equal = equal })
