-- Opens a tick that a person asked for, also of a stopped sensor; for `worker` where that one evaluates it by itself.
-- ARGV: sensor, lease (ms), by, worker ('' = whoever is rung for), cursor that it is evaluated with ('' = the stored one)
-- Returns: nil while another tick of it is under way, or tick id, version, generation, now (ms)
-- include: base sensors
local at = now_ms()
local lease = tonumber(ARGV[2])
if tick_under_way(ARGV[1], at, lease) then return false end
local id = open_tick(ARGV[1], at, lease, ARGV[3])
local s = redis.call('HMGET', k('sensor', ARGV[1]), 'version', 'generation')
if ARGV[4] ~= '' then
  redis.call('HSET', tick_key(id), 'worker', ARGV[4], 'cursor_before', ARGV[5], 'cursor_version', s[1])
end
return { id, s[1], s[2], tostring(at) }
