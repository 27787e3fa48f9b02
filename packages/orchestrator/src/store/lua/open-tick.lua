-- Opens a tick that a person asked for, also of a stopped sensor.
-- ARGV: sensor, margin (ms), by
-- Returns: tick id, or nil while another tick of it is under way
-- include: base sensors
local at = now_ms()
if tick_under_way(ARGV[1], at) then return false end
local timeout = tonumber(hget(k('sensor', ARGV[1]), 'timeout') or '60000')
return open_tick(ARGV[1], at, at + timeout + tonumber(ARGV[2]), ARGV[3])
