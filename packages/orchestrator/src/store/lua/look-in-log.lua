-- Looks at some lines of a run's log, from a place on, and gives only those that are wanted. Sifted here because sending
-- a million lines to whoever wants three of them costs eight times what looking at them costs.
-- ARGV: run, 'forwards' or 'backwards', the line after which it begins ('' for the end that lies behind), how many lines
--   to look at, how many wanted ones to give, levels that are wanted (joined by blanks; '' for all), attempt that
--   is wanted ('' for all; with a dot at its end, those that begin so), texts of which a line must hold one, in small
--   letters (none: any line)
-- Returns: lines looked at, id of the last of them ('' when there was none), how many are wanted, and of those that are
--   given: the place among the lines looked at, from 1, and the line as its stream has it
-- include: base
local log, from = k('run', ARGV[1], 'log'), ARGV[3]
local after = from == '' and '' or '(' .. from
local page = {}
if ARGV[2] == 'forwards' then
  page = redis.call('XRANGE', log, after == '' and '-' or after, '+', 'COUNT', ARGV[4])
elseif from ~= '0-0' then -- nothing lies before it, and Redis refuses to look
  page = redis.call('XREVRANGE', log, after == '' and '+' or after, '-', 'COUNT', ARGV[4])
end
local most, wanted, given = tonumber(ARGV[5]), 0, {}
local levels
for level in string.gmatch(ARGV[6], '%S+') do
  levels = levels or {}
  levels[level] = true
end
local attempt = ARGV[7]
local isMany = string.sub(attempt, -1) == '.'
local function isOf(unit)
  return attempt == '' or unit == attempt or (isMany and string.sub(unit, 1, #attempt) == attempt)
end
-- A line is l, m, f, u and at with their values, in this order.
local function holds(line)
  local text = string.lower(line[4] .. ' ' .. line[6])
  for i = 8, #ARGV do
    if string.find(text, ARGV[i], 1, true) then return true end
  end
  return false
end
for i, entry in ipairs(page) do
  local line = entry[2]
  if (not levels or levels[line[2]]) and isOf(line[8]) and (not ARGV[8] or holds(line)) then
    wanted = wanted + 1
    if wanted <= most then given[wanted] = { i, entry } end
  end
end
local last = page[#page]
return { #page, last and last[1] or '', wanted, given }
