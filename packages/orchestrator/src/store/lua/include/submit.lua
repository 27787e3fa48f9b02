-- Submitting one run; used by `submit` and by `commit-tick`. `s` is the decoded request of submit.ts.
-- Gives run id and one of: new, suppressed, joined, refused (then also the partition).

-- A key that the engine made is looked for so many unsuccessful ends back.
local TURNS_BACK = 100

-- The run key of a request, and the run that had it first; nil when there is none.
local function run_key_of(s)
  local keys = k('keys', s.key_scope)
  if s.run_key ~= nil and s.run_key ~= cjson.null and s.run_key ~= '' then return s.run_key, hget(keys, s.run_key) end
  if not s.auto_key then return nil end
  -- Made by the engine: the same ask in the same cursor generation, again only after an unsuccessful end of any step.
  local turns, made = 0, true
  for _, step in ipairs(s.steps) do
    for _, p in ipairs(s.parts) do
      local _, turn, status = last_of(step.asset, p[2], p[3])
      turns = turns + turn
      made = made and status == 'SUCCESS'
    end
  end
  local key = s.auto_key .. '|' .. turns
  local known = hget(keys, key)
  if known or not made then return key, known end
  -- What was asked for failed, and was made since by somebody else, by a retry for example: it need not be asked for again.
  for turn = turns - 1, math.max(0, turns - TURNS_BACK), -1 do
    known = hget(keys, s.auto_key .. '|' .. turn)
    if known then return key, known end
  end
  return key
end

-- What is added to the indexes of runs, which nothing reads before the script has ended: together, since a call for each
-- would be a third of all calls. Scripts that submit must end with `write_indexes`.
local indexed = {}
local function index(command, key, a, b)
  local args = indexed[key]
  if not args then
    args = { command }
    indexed[key] = args
  end
  args[#args + 1] = a
  if b then args[#args + 1] = b end
end

local MOST_ARGS = 1000 -- even, so that a score stays with its member; Lua's stack takes some thousands
local function write_indexes()
  for key, args in pairs(indexed) do
    for from = 2, #args, MOST_ARGS do
      redis.call(args[1], key, unpack(args, from, math.min(from + MOST_ARGS - 1, #args)))
    end
  end
  indexed = {}
end

-- `resend` (ms) where the caller rings at once for what may go at once; then the attempt is the fourth result.
local function submit_run(s, at, resend)
  local key, known = run_key_of(s)
  if known then return known, 'suppressed' end
  local assets, steps = {}, {}
  for i, step in ipairs(s.steps) do
    assets[i] = step.asset
    steps[i] = { asset = step.asset, pool = step.pool or '', fan = step.fan or nil, max = step.max or nil, needs = step.needs }
  end
  local done
  if s.carried then
    done = {}
    for _, c in ipairs(s.carried) do done[c[1]] = true end
  end
  if s.on_busy ~= 'wait' then
    local asset, held_key, holder = first_held(s.id, assets, s.parts, done)
    if asset then return holder, s.on_busy == 'join' and 'joined' or 'refused', held_key end
  end
  local single = #s.parts == 1 and #steps == 1 and not steps[1].fan
  -- What nothing queues before, and there is room for, need not queue to be the next.
  local sent = resend and single and not s.limits and redis.call('EXISTS', k('queues')) == 0
    and room_for(steps[1].pool, s.priority) > 0 and not first_held(s.id, assets, s.parts) and { at = at, resend = resend } or nil
  local status = sent and 'STARTING' or 'QUEUED'
  -- Counts and steps that are not there are 0.
  local fields = { 'id', s.id, 'job', s.job, 'status', status, 'config', s.config, 'tags', s.tags, 'priority', s.priority,
    'cause', s.cause, 'created', at, 'steps', cjson.encode(steps), 'parts', #s.parts > 0 and cjson.encode(s.parts) or '[]',
    'lane', s.lane, 'total', #s.parts * #s.steps, 'single', single and '1' or '' }
  local function also(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  if s.limits then also('limits', s.limits) end
  if s.carried then
    local carried, n = {}, { materialized = 0, skipped = 0 }
    for i, c in ipairs(s.carried) do
      carried[i] = c[1]
      n[c[2]] = n[c[2]] + 1
      redis.call('HSET', k('run', s.id, 'parts'), c[1], c[3])
    end
    also('carried', cjson.encode(carried))
    also('n_mat', n.materialized)
    also('n_skip', n.skipped)
  end
  if s.nth then also('nth', s.nth) end
  if s.retry_after_ms then also('retry_after', s.retry_after_ms) end
  if s.trace then also('trace', s.trace) end
  if s.rehearsal then also('rehearsal', '1') end
  if s.on_busy ~= 'wait' then also('on_busy', s.on_busy) end
  if key then
    also('run_key', key)
    redis.call('HSET', k('keys', s.key_scope), key, s.id)
  end
  if s.backfill then
    also('backfill', s.backfill)
    index('SADD', k('bf', s.backfill, 'act'), s.id)
  end
  redis.call('HSET', k('run', s.id), unpack(fields))
  index('ZADD', k('runs'), at, s.id)
  index('ZADD', k('runs', 'job', s.job), at, s.id)
  index('ZADD', k('runs', 'st', INDEX[status]), at, s.id)
  index('SADD', k('open', s.job), s.id)
  tell('run.queued', at, s.id, '{"job":"' .. s.job .. '"}')
  local _, attempt = claim_or_park(s.id, at, assets, s.parts, single and { pool = steps[1].pool, prio = s.priority, lane = s.lane, sent = sent } or nil)
  return s.id, 'new', '', attempt or ''
end
