-- Shared by every script. KEYS[1] is the key prefix with its hash tag; all other keys are made from it here, so they
-- share its slot. The makers of the same names on the TypeScript side are in keys.ts.
local P = KEYS[1]
-- Spelled out because it is called some sixty times a run; a concatenated table costs three times as much.
local function k(a, b, c, d, e)
  if b == nil then return P .. ':' .. a end
  if c == nil then return P .. ':' .. a .. ':' .. b end
  if d == nil then return P .. ':' .. a .. ':' .. b .. ':' .. c end
  if e == nil then return P .. ':' .. a .. ':' .. b .. ':' .. c .. ':' .. d end
  return P .. ':' .. a .. ':' .. b .. ':' .. c .. ':' .. d .. ':' .. e
end

-- The store's own clock decides, never a caller's. Milliseconds.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function hget(key, field)
  local v = redis.call('HGET', key, field)
  if v == false then return nil end
  return v
end

-- One event in the global stream, which the dashboard follows; trimmed.
local function tell(type, at, run, extra)
  redis.call('XADD', k('events'), 'MAXLEN', '~', 50000, '*', 't', type, 'r', run, 'at', at, 'd', extra or '{}')
end

-- One event in the run's own stream.
local function note(run, type, at, extra)
  redis.call('XADD', k('run', run, 'ev'), 'MAXLEN', '~', 20000, '*', 't', type, 'at', at, 'd', extra or '{}')
end

-- In both.
local function event(run, type, at, extra)
  note(run, type, at, extra)
  tell(type, at, run, extra)
end
