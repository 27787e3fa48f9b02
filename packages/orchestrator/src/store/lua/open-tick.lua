-- Opens a tick that a person asked for, also of a stopped sensor.
-- ARGV: sensor, lease (ms), by
-- Returns: tick id, or nil while another tick of it is under way
-- include: base sensors
local at = now_ms()
local lease = tonumber(ARGV[2])
if tick_under_way(ARGV[1], at, lease) then return false end
return open_tick(ARGV[1], at, lease, ARGV[3])
