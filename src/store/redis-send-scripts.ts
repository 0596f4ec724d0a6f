import { createScript, readRecord } from './redis-script.ts';
import { sends } from './redis-send-header.ts';

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
