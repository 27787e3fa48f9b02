-- Ends a tick that failed; the cursor stays. One whose stored cursor its code cannot read pauses its sensor, for the next
-- tick would fail the same; not when a person wrote another cursor meanwhile.
-- ARGV: sensor, tick, error text, decision (failed | timed_out), lines that its code logged (JSON, '' = none),
--   1 when a person tried a cursor that is not saved, version of the cursor that could not be read ('' = it could)
-- Returns: 1, or 0 when the tick is not under way
-- include: base sensors
local at = now_ms()
local sk = k('sensor', ARGV[1])
if hget(sk, 'tick') ~= ARGV[2] then return 0 end
end_tick(ARGV[1], ARGV[2], 'FAILURE', ARGV[4], ARGV[3], at, { 'log', ARGV[5] or '' }, ARGV[6] == '1')
local s = redis.call('HMGET', sk, 'status', 'version')
if (ARGV[7] or '') ~= '' and s[1] == 'RUNNING' and s[2] == ARGV[7] then pause_sensor(ARGV[1], 'skein', at) end
return 1
