import { deliveryStatuses } from '../message.ts';
import { createScript, readRecord } from './redis-script.ts';

const ranks = deliveryStatuses.map((status, index) => `${status} = ${index + 1}`).join(', ');

/**
 * The order of events and details as `src/message.ts` has it. Texts are JSON literals in UTF-8; they are compared as
 * JavaScript does, by UTF-16 code unit: each unit becomes bytes of the same order. To compare them itself, Lua would ask the
 * locale of the server.
 */
const order = String.raw`
local function unit(code)
  if code < 128 then return string.char(code) end
  if code < 2048 then return string.char(192 + math.floor(code / 64), 128 + code % 64) end
  return string.char(224 + math.floor(code / 4096), 128 + math.floor(code / 64) % 64, 128 + code % 64)
end

local function units(text)
  return (string.gsub(text, '[\240-\244][\128-\191][\128-\191][\128-\191]', function(character)
    local a, b, c, d = string.byte(character, 1, 4)
    local point = (a - 240) * 262144 + (b - 128) * 4096 + (c - 128) * 64 + d - 128 - 65536
    return unit(55296 + math.floor(point / 1024)) .. unit(56320 + point % 1024)
  end))
end

local escapes = { b = '\b', f = '\f', n = '\n', r = '\r', t = '\t' }

local function unescape(literal)
  return (string.gsub(string.sub(literal, 2, -2), '\\(.)(%x?%x?%x?%x?)', function(character, rest)
    if character == 'u' then return unit(tonumber(rest, 16)) end
    return (escapes[character] or character) .. rest
  end))
end

local function compare_bytes(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x - y end
  end
  return #a - #b
end

local function compare_texts(a, b)
  local no_a, no_b = string.byte(a) ~= 34, string.byte(b) ~= 34
  if a == b or (no_a and no_b) then return 0 end
  if no_a then return 1 end
  if no_b then return -1 end
  return compare_bytes(units(unescape(a)), units(unescape(b)))
end

local function event_is_earlier(one, other)
  local a, b = fields(one), fields(other)
  for i = 2, 3 do
    local x, y = tonumber(a[i]), tonumber(b[i])
    if x ~= y then return x < y end
  end
  for i = 4, 6 do
    local difference = compare_texts(a[i], b[i])
    if difference ~= 0 then return difference < 0 end
  end
  return false
end

local names = { 'client', 'clientPhone', 'clientName', 'textMessage', 'delay', 'scheduledFor', 'acceptedAt' }

local function json(line)
  local values = fields(line)
  local members = {}
  for i, name in ipairs(names) do members[i] = '"' .. name .. '":' .. values[i + 1] end
  return '{' .. table.concat(members, ',') .. '}'
end

local function details_are_earlier(one, other)
  local x, y = tonumber(fields(one)[8]), tonumber(fields(other)[8])
  if x ~= y then return x < y end
  return compare_bytes(units(json(one)), units(json(other))) < 0
end
`;

const places = String.raw`
local ranks = { ${ranks} }

-- The listing indexes that a message is in.
local function indexes(prefix, business, status, details)
  local index = prefix .. 'i:' .. status .. ':' .. business
  local client = details and fields(details)[2]
  if not client or client == 'null' then return { index } end
  return { index, index .. '/' .. client }
end

local function details_of(body)
  for _, line in ipairs(body) do
    if string.sub(line, 1, 2) == 'D\t' then return line end
  end
end
`;

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
    local values = fields(line)
    if ranks[values[1]] then
      revision = revision + 1
      touched = math.max(touched, tonumber(values[3]))
      if status == '' or (ranks[status] and ranks[status] < ranks[values[1]]) then status = values[1] end
    elseif values[1] == 'D' and values[7] ~= 'null' then
      touched = math.max(touched, tonumber(values[7]))
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
  local now = indexes(prefix, message.business, status, details)
  for _, index in ipairs(now) do redis.call('ZADD', index, 0, member) end
  if message.status then
    for _, index in ipairs(indexes(prefix, message.business, message.status, message.details)) do
      if index ~= now[1] and index ~= now[2] then redis.call('ZREM', index, member) end
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

/** Deletes one message. What is still to be found by its touch is to be deleted again, so that comes last. */
const removal = `
local prefix = ARGV[1]

local function remove(business, id, record)
  local header, body = lines(record)
  local key = prefix .. 'm:' .. business .. '/' .. id
  for _, index in ipairs(indexes(prefix, business, header[4], details_of(body))) do
    redis.call('ZREM', index, header[3] .. id)
  end
  redis.call('DEL', key)
  redis.call('ZREM', KEYS[1], business .. '/' .. id)
  redis.call('SPUBLISH', key, header[3] .. ':')
end
`;

/**
 * Deletes messages that were last touched before an instant.
 *
 * KEYS: messages by touch. ARGV: the prefix; the instant; how many to skip, and to look at.
 * Returns how many it looked at, how many of them are of a newer release and stay, and those it deleted.
 */
export const pruneMessagesScript = createScript(
  'free',
  readRecord,
  places,
  removal,
  `
local old = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', ARGV[3], ARGV[4])
local deleted, kept = {}, 0
for _, member in ipairs(old) do
  local record = redis.call('GET', prefix .. 'm:' .. member)
  if not record then
    redis.call('ZREM', KEYS[1], member)
  elseif is_newer(record) then
    kept = kept + 1
  else
    local business = string.match(member, '^[^/]*')
    remove(business, string.sub(member, #business + 2), record)
    deleted[#deleted + 1] = member
  end
end
return { #old, kept, deleted }
`,
);

/**
 * Deletes messages of a client.
 *
 * KEYS: messages by touch; one listing index of the business. ARGV: the prefix; the business; the client and the phone
 * number as JSON literals; where in the index to go on; how many to look at.
 * Returns where to go on, or an empty text, and the messages it deleted.
 */
export const forgetMessagesScript = createScript(
  'free',
  readRecord,
  places,
  removal,
  `
local business, client, phone, limit = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[6])
local members = redis.call('ZRANGE', KEYS[2], ARGV[5], '+', 'BYLEX', 'LIMIT', 0, limit)
local deleted = {}
for _, member in ipairs(members) do
  local id = string.sub(member, 17)
  local record = redis.call('GET', prefix .. 'm:' .. business .. '/' .. id)
  if record and not is_newer(record) then
    local _, body = lines(record)
    local details = details_of(body)
    local values = details and fields(details)
    if values and ((client ~= 'null' and values[2] == client) or (phone ~= 'null' and values[3] == phone)) then
      remove(business, id, record)
      deleted[#deleted + 1] = business .. '/' .. id
    end
  end
end
return { #members == limit and '(' .. members[#members] or '', deleted }
`,
);
