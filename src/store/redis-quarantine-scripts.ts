import { pruneByTouch } from './redis-prune-by-touch.ts';
import { createScript, readRecord } from './redis-script.ts';

/**
 * Keeps a callback that was not understood; one whose body is there already is counted.
 *
 * KEYS: callbacks by touch; the record.
 * ARGV: the prefix; the business as keys have it; the hash of the body; a stamp for where it is new; when it came; the
 *   reason and the body as JSON literals.
 */
export const keepScript = createScript(
  'write',
  readRecord,
  String.raw`
local prefix, business, sha, stamp, at = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local record = redis.call('GET', KEYS[2])
if record and is_newer(record) then return newer end
local header, body = { '1', business, '0', at, at, stamp }, { 'W\t', 'B\t' .. ARGV[7] }
if record then header, body = lines(record) end
header[3] = string.format('%d', tonumber(header[3]) + 1)
if tonumber(at) < tonumber(header[4]) then header[4] = at end
if tonumber(at) > tonumber(header[5]) then header[5] = at end
for i, line in ipairs(body) do
  if string.sub(line, 1, 2) == 'W\t' then body[i] = 'W\t' .. ARGV[6] end
end
redis.call('ZADD', prefix .. 'qi:' .. business, 0, header[6] .. sha)
redis.call('ZADD', KEYS[1], header[5], business .. '/' .. sha)
redis.call('SET', KEYS[2], table.concat(header, '\t') .. '\n' .. table.concat(body, '\n'))
return 1
`,
);

const removal = `
local prefix = ARGV[1]

local function remove(business, sha, record)
  local header = lines(record)
  redis.call('ZREM', prefix .. 'qi:' .. business, header[6] .. sha)
  redis.call('DEL', prefix .. 'q:' .. business .. '/' .. sha)
  redis.call('ZREM', prefix .. 'qt', business .. '/' .. sha)
end
`;

/**
 * Takes a callback out of quarantine.
 *
 * KEYS: callbacks by touch; the record. ARGV: the prefix; the business as keys have it; the hash of the body; its stamp;
 *   `1` where a repeat must be written too.
 */
export const dropScript = createScript(
  'free',
  readRecord,
  removal,
  `
local record = redis.call('GET', KEYS[2])
if record and is_newer(record) then return newer end
local is_meant = record and lines(record)[6] == ARGV[4]
if is_meant then remove(ARGV[2], ARGV[3], record) end
if not is_meant and ARGV[5] == '1' then redis.call('SET', prefix .. 'c', '1') end
return 1
`,
);

/**
 * Deletes callbacks that were last received before an instant.
 *
 * KEYS: callbacks by touch. ARGV and reply: as `pruneMessagesScript` has them.
 */
export const pruneQuarantineScript = createScript('free', readRecord, removal, pruneByTouch('q'));
