import { createScript, readRecord } from './redis-script.ts';
import { sends } from './redis-send-header.ts';

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
