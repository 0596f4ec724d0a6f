import { places } from './redis-message-places.ts';
import { pruneByTouch } from './redis-prune-by-touch.ts';
import { createScript, readRecord } from './redis-script.ts';

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
export const pruneMessagesScript = createScript('free', readRecord, places, removal, pruneByTouch('m'));

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
