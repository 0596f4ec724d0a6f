import { order } from './redis-message-order.ts';
import { places } from './redis-message-places.ts';
import { createScript, readRecord } from './redis-script.ts';

/**
 * Merges news of messages, all or none of them, and wakes whoever watches one that has changed.
 *
 * What is written comes in such an order that a step of it that fails half-way, because its slot is on the move, is
 * mended by its repeat: the record, from which all else follows, comes last.
 *
 * KEYS: messages by touch; then the record of each message.
 * ARGV: the prefix; `1` where a repeat must be written too, since a replica is waited for; then, for each message, its
 *   business and id as keys have them, its news, a stamp for where it is new, and `1` where the caller wants it back.
 * Returns a record, or an empty text, for each message.
 */
export const mergeScript = createScript(
  'write',
  readRecord,
  order,
  places,
  String.raw`
local prefix, always = ARGV[1], ARGV[2] == '1'

local function read(record, stamp)
  if not record then return { header = { '1', '0', stamp, '' }, body = {} } end
  local header, body = lines(record)
  return { header = header, body = body, status = header[4], details = details_of(body) }
end

-- Puts a line of news in its place. True where that changes anything.
local function put(body, line)
  local kind = string.match(line, '^[^\t]*')
  for i, known in ipairs(body) do
    if string.match(known, '^[^\t]*') == kind then
      local is_earlier = kind == 'D' and details_are_earlier or event_is_earlier
      if line == known or not is_earlier(line, known) then return false end
      body[i] = line
      return true
    end
  end
  body[#body + 1] = line
  return true
end

-- How many events are known, when the last was heard of or is to happen, and which status is the furthest.
local function sum_up(body, status)
  local revision, touched = 0, 0
  for _, line in ipairs(body) do
    local kind, heard_at = string.match(line, '^([^\t]*)\t[^\t]*\t([^\t]*)')
    if ranks[kind] then
      revision = revision + 1
      touched = math.max(touched, tonumber(heard_at))
      if status == '' or (ranks[status] and ranks[status] < ranks[kind]) then status = kind end
    elseif kind == 'D' then
      touched = math.max(touched, tonumber(fields(line)[7]) or 0)
    end
  end
  return revision, touched, status
end

local function text_of(message)
  return table.concat(message.header, '\t') .. '\n' .. table.concat(message.body, '\n')
end

local messages = {}
for i = 2, #KEYS do
  local key, base = KEYS[i], 2 + (i - 2) * 5
  local message = messages[key]
  if not message then
    local record = redis.call('GET', key)
    if record and is_newer(record) then return newer end
    message = read(record, ARGV[base + 4])
    message.before, message.business, message.id = message.header[2], ARGV[base + 1], ARGV[base + 2]
    messages[key] = message
  end
  for line in string.gmatch(ARGV[base + 3], '[^\n]+') do
    if put(message.body, line) then message.changed = true end
  end
end

local function write(key, message)
  local header = message.header
  local revision, touched, status = sum_up(message.body, header[4])
  header[2], header[4] = tostring(revision), status
  local details = details_of(message.body)
  local member = header[3] .. message.id
  if status ~= message.status or details ~= message.details then
    local now = indexes(prefix, message.business, status, details)
    local before = message.status and indexes(prefix, message.business, message.status, message.details) or {}
    for i, index in ipairs(now) do
      if index ~= before[i] then redis.call('ZADD', index, 0, member) end
    end
    for i, index in ipairs(before) do
      if index ~= now[i] then redis.call('ZREM', index, member) end
    end
  end
  redis.call('ZADD', KEYS[1], string.format('%.0f', touched), message.business .. '/' .. message.id)
  redis.call('SET', key, text_of(message))
  if header[2] ~= message.before then redis.call('SPUBLISH', key, header[3] .. ':' .. header[2]) end
end

for key, message in pairs(messages) do
  if message.changed or always then write(key, message) end
end

local replies = {}
for i = 2, #KEYS do
  local wanted = ARGV[2 + (i - 2) * 5 + 5] == '1'
  replies[i - 1] = wanted and text_of(messages[KEYS[i]]) or ''
end
return replies
`,
);
