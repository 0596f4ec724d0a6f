import { createScript, readRecord } from './redis-script.ts';

/**
 * Reads and writes the header of a send. `settle` gives it an outcome: its index and its touch follow, and the record
 * comes last, as in `mergeScript`.
 */
const sends = String.raw`
local prefix = ARGV[1]
local BUSINESS, OUTCOME, BEGUN, SETTLED, CODE, MESSAGE, FINGERPRINT, KEY = 2, 3, 4, 5, 6, 7, 8, 9

local function plain(literal)
  return string.sub(literal, 2, -2)
end

local function index(business, outcome)
  return prefix .. 'b:' .. plain(outcome) .. ':' .. plain(business)
end

local function key_of(header)
  return prefix .. 'k:' .. plain(header[BUSINESS]) .. '/' .. header[KEY]
end

local function text_of(header, body)
  return table.concat(header, '\t') .. '\n' .. table.concat(body, '\n')
end

local function settle(attempt, header, body, outcome, code, message, at)
  local before = header[OUTCOME]
  redis.call('ZADD', index(header[BUSINESS], outcome), 0, attempt)
  if before ~= outcome then redis.call('ZREM', index(header[BUSINESS], before), attempt) end
  redis.call('ZREM', prefix .. 'sp', attempt)
  local touched = math.max(tonumber(header[BEGUN]), tonumber(at))
  redis.call('ZADD', prefix .. 'st', string.format('%.0f', touched), plain(header[BUSINESS]) .. '/' .. attempt)
  if outcome == '"NOT_SENT"' and header[KEY] ~= 'null' and redis.call('GET', key_of(header)) == attempt then
    redis.call('DEL', key_of(header))
  end
  header[OUTCOME], header[CODE], header[MESSAGE], header[SETTLED] = outcome, code, message, at
  redis.call('SET', prefix .. 's:' .. attempt, text_of(header, body))
end
`;

/**
 * Writes a send down, unless its idempotency key was used before.
 *
 * KEYS: sends by touch; the record; the idempotency key, where there is one.
 * ARGV: the prefix; the business as keys have it; the attempt; the instant; fingerprint and key; the text; the instant
 *   from which on a key is valid; the fingerprint; `1` where a repeat must be written too.
 * Returns the kind of what came of it, and with it the code or the message's id as a JSON literal.
 */
export const beginScript = createScript(
  'write',
  readRecord,
  sends,
  String.raw`
local business, attempt, at, idempotency, text = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if redis.call('EXISTS', prefix .. 'x:' .. attempt) == 1 then return { 'withdrawn' } end

local holder = KEYS[3] and redis.call('GET', KEYS[3])
local record = holder and redis.call('GET', prefix .. 's:' .. holder)
if record then
  if is_newer(record) then return newer end
  local header = lines(record)
  if tonumber(header[BEGUN]) >= tonumber(ARGV[7]) then
    if ARGV[9] == '1' then redis.call('SET', KEYS[3], holder) end
    if header[FINGERPRINT] ~= ARGV[8] then return { 'reused' } end
    if header[OUTCOME] == '"PENDING"' then return { 'running' } end
    if header[MESSAGE] ~= 'null' then return { 'accepted', header[MESSAGE] } end
    return { 'failed', header[CODE] }
  end
end

local literal = '"' .. business .. '"'
redis.call('ZADD', index(literal, '"PENDING"'), 0, attempt)
redis.call('ZADD', prefix .. 'sp', at, attempt)
redis.call('ZADD', KEYS[1], at, business .. '/' .. attempt)
local header = table.concat({ '1', literal, '"PENDING"', at, 'null', 'null', 'null', idempotency }, '\t')
redis.call('SET', KEYS[2], header .. '\n' .. text)
if KEYS[3] then redis.call('SET', KEYS[3], attempt) end
return { 'begun' }
`,
);

/**
 * Settles a send. No failure takes an accept back.
 *
 * KEYS: sends by touch; the record.
 * ARGV: the prefix; the attempt; outcome, code and message as JSON literals; the instant; `1` where a repeat must be
 *   written too; for how many ms a send that is not there yet may not be begun, or 0.
 */
export const settleScript = createScript(
  'write',
  readRecord,
  sends,
  `
local attempt, outcome = ARGV[2], ARGV[3]
local record = redis.call('GET', KEYS[2])
if not record then
  if ARGV[8] ~= '0' then redis.call('SET', prefix .. 'x:' .. attempt, '1', 'PX', ARGV[8]) end
  return 0
end
if is_newer(record) then return newer end
local header, body = lines(record)
if header[OUTCOME] == '"ACCEPTED"' and outcome ~= '"ACCEPTED"' then
  if ARGV[7] == '1' then redis.call('SET', KEYS[2], record) end
  return 0
end
settle(attempt, header, body, outcome, ARGV[4], ARGV[5], ARGV[6])
return 1
`,
);

/**
 * Sends that were begun before an instant and are PENDING become UNKNOWN.
 *
 * KEYS: those that are PENDING. ARGV: the prefix; the instant; when they are settled; how many to skip, and to look at.
 * Returns how many it looked at, how many of them are of a newer release and stay, and how many became UNKNOWN.
 */
export const loseScript = createScript(
  'write',
  readRecord,
  sends,
  `
local pending = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', ARGV[4], ARGV[5])
local kept, lost = 0, 0
for _, attempt in ipairs(pending) do
  local record = redis.call('GET', prefix .. 's:' .. attempt)
  if not record then
    redis.call('ZREM', KEYS[1], attempt)
  elseif is_newer(record) then
    kept = kept + 1
  else
    local header, body = lines(record)
    settle(attempt, header, body, '"UNKNOWN"', '"SEND_OUTCOME_UNKNOWN"', 'null', ARGV[3])
    lost = lost + 1
  end
end
return { #pending, kept, lost }
`,
);

/**
 * Deletes sends that were last touched before an instant, and their idempotency keys.
 *
 * KEYS: sends by touch. ARGV and reply: as `pruneMessagesScript` has them.
 */
export const pruneSendsScript = createScript(
  'free',
  readRecord,
  sends,
  `
local old = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', ARGV[3], ARGV[4])
local deleted, kept = {}, 0
for _, member in ipairs(old) do
  local attempt = string.match(member, '[^/]*$')
  local key = prefix .. 's:' .. attempt
  local record = redis.call('GET', key)
  if record and is_newer(record) then
    kept = kept + 1
  else
    if record then
      local header = lines(record)
      redis.call('ZREM', index(header[BUSINESS], header[OUTCOME]), attempt)
      redis.call('ZREM', prefix .. 'sp', attempt)
      if header[KEY] ~= 'null' and redis.call('GET', key_of(header)) == attempt then
        redis.call('DEL', key_of(header))
      end
      redis.call('DEL', key)
      deleted[#deleted + 1] = attempt
    end
    redis.call('ZREM', KEYS[1], member)
  end
end
return { #old, kept, deleted }
`,
);

/**
 * Takes what was said, and to whom, out of sends to a client.
 *
 * KEYS: sends by touch; one index of the business. ARGV and reply: as `forgetMessagesScript` has them.
 */
export const forgetSendsScript = createScript(
  'free',
  readRecord,
  sends,
  String.raw`
local client, phone, limit = ARGV[3], ARGV[4], tonumber(ARGV[6])
local members = redis.call('ZRANGE', KEYS[2], ARGV[5], '+', 'BYLEX', 'LIMIT', 0, limit)
local erased = {}
for _, attempt in ipairs(members) do
  local key = prefix .. 's:' .. attempt
  local record = redis.call('GET', key)
  if record and not is_newer(record) then
    local header, body = lines(record)
    for i, line in ipairs(body) do
      local values = fields(line)
      local is_text = values[1] == 'T' and header[OUTCOME] ~= '"PENDING"'
      if is_text and ((client ~= 'null' and values[2] == client) or (phone ~= 'null' and values[3] == phone)) then
        for field = 2, #values do values[field] = 'null' end
        body[i] = table.concat(values, '\t')
        redis.call('SET', key, text_of(header, body))
        erased[#erased + 1] = attempt
      end
    end
  end
end
return { #members == limit and '(' .. members[#members] or '', erased }
`,
);
