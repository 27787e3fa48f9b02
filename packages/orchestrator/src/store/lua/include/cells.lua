-- Partition states: one string for an asset and row, one nibble a column: outcome * 4 + activity.
local OUTCOME = { missing = 0, materialized = 1, failed = 2, skipped = 3 }
local IDLE, QUEUED, RUNNING, CANCELLING = 0, 1, 2, 3

-- Changes of counters are summed up while a script works on many units, and written once at its end: scripts that call
-- `sum_counts` at their start must end with `write_counts`.
local summed = nil

local function sum_counts() summed = {} end

local function count_by(key, field, n)
  if not summed then
    redis.call('HINCRBY', key, field, n)
    return
  end
  local fields = summed[key]
  if not fields then
    fields = {}
    summed[key] = fields
  end
  fields[field] = (fields[field] or 0) + n
end

local function write_counts()
  for key, fields in pairs(summed) do
    for field, n in pairs(fields) do
      if n ~= 0 then redis.call('HINCRBY', key, field, n) end
    end
  end
  summed = nil
end

local function count_cell(key, kind, from, to)
  if from ~= 0 then count_by(key, kind .. from, -1) end
  if to ~= 0 then count_by(key, kind .. to, 1) end
end

local known_rows = {} -- by the key of their cells: what is asked for at once is often of few rows

-- Changes a cell and the counters of its asset and row with it. nil keeps that half as it is.
local function set_cell(asset, row, col, outcome, activity)
  local key = k('st', asset, row)
  -- One call reads the nibble and writes the half that changes: outcome in its upper two bits, activity in the lower.
  local old
  if outcome and activity then
    old = redis.call('BITFIELD', key, 'GET', 'u4', '#' .. col, 'SET', 'u4', '#' .. col, outcome * 4 + activity)[1]
  elseif activity then
    old = redis.call('BITFIELD', key, 'GET', 'u4', '#' .. col, 'SET', 'u2', col * 4 + 2, activity)[1]
  else
    old = redis.call('BITFIELD', key, 'GET', 'u4', '#' .. col, 'SET', 'u2', col * 4, outcome)[1]
  end
  local o, a = math.floor(old / 4), old % 4
  local no, na = outcome or o, activity or a
  if no == o and na == a then return end
  if old == 0 and not known_rows[key] then
    known_rows[key] = true
    redis.call('ZADD', k('rows', asset), 'NX', 0, row)
  end
  local total, of_row = k('cnt', asset), k('cntr', asset, row)
  if no ~= o then
    count_cell(total, 'o', o, no)
    count_cell(of_row, 'o', o, no)
  end
  if na ~= a then
    count_cell(total, 'a', a, na)
    count_cell(of_row, 'a', a, na)
  end
end

-- What a partition's last run was: `run|status|ended|failures|turn`, then, where they say more, when it was made before
-- the last run and by which version of the code. Failures are counted since the last success. The
-- turn grows with every unsuccessful end and every forgetting: run keys that the engine makes hold it, so that the same
-- ask is suppressed until one of the two has happened, and again once the partition was made after that.
local function last_of(asset, row, col)
  local old = hget(k('last', asset, row), col)
  if not old then return 0, 0 end
  local status, ended, failures, turn, more = string.match(old, '^[^|]*|([^|]*)|([^|]*)|(%d+)|(%d+)(.*)$')
  return tonumber(failures), tonumber(turn), status, ended, more
end

local function set_last(asset, row, col, run, status, at, version)
  local failures, turn, before, ended, more = last_of(asset, row, col)
  local tail = ''
  if status == 'SUCCESS' then
    failures = 0
    if version and version ~= '' then tail = '||' .. version end
  else
    failures, turn = failures + 1, turn + 1
    tail = more or ''
    if before == 'SUCCESS' then tail = '|' .. ended .. '|' .. (string.match(tail, '^|[^|]*|(.*)$') or '') end
  end
  redis.call('HSET', k('last', asset, row), col, run .. '|' .. status .. '|' .. at .. '|' .. failures .. '|' .. turn .. tail)
end

local function forget_last(asset, row, col, at)
  local key = k('last', asset, row)
  if redis.call('HEXISTS', key, col) == 0 then return end
  local _, turn = last_of(asset, row, col)
  redis.call('HSET', key, col, '|FORGOTTEN|' .. at .. '|0|' .. (turn + 1))
end
