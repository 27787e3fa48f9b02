-- Ends a tick that failed; the cursor stays.
-- ARGV: sensor, tick, error text, decision (failed | timed_out), lines that its code logged (JSON, '' = none),
--   1 when a person tried a cursor that is not saved
-- Returns: 1, or 0 when the tick is not under way
-- include: base sensors
if hget(k('sensor', ARGV[1]), 'tick') ~= ARGV[2] then return 0 end
end_tick(ARGV[1], ARGV[2], 'FAILURE', ARGV[4], ARGV[3], now_ms(), { 'log', ARGV[5] or '' }, ARGV[6] == '1')
return 1
