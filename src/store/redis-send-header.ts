/**
 * Reads and writes the header of a send. `settle` gives it an outcome: its index and its touch follow, and the record
 * comes last, as in `mergeScript`.
 */
export const sends = String.raw`
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
