/**
 * The order of events and details as `src/message.ts` has it. Texts are JSON literals in UTF-8; they are compared as
 * JavaScript does, by UTF-16 code unit: each unit becomes bytes of the same order. To compare them itself, Lua would ask the
 * locale of the server.
 */
export const order = String.raw`
-- All that this needs is made when it is called: texts are compared where instants tie, which is seldom.
local function compare_texts(a, b, are_literals)
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

  if are_literals then a, b = unescape(a), unescape(b) end
  a, b = units(a), units(b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x - y end
  end
  return #a - #b
end

-- Text before no text, then by code unit.
local function compare_literals(a, b)
  local no_a, no_b = string.byte(a) ~= 34, string.byte(b) ~= 34
  if a == b or (no_a and no_b) then return 0 end
  if no_a then return 1 end
  if no_b then return -1 end
  return compare_texts(a, b, true)
end

local function event_is_earlier(one, other)
  local a, b = fields(one), fields(other)
  for i = 2, 3 do
    local x, y = tonumber(a[i]), tonumber(b[i])
    if x ~= y then return x < y end
  end
  for i = 4, 6 do
    local difference = compare_literals(a[i], b[i])
    if difference ~= 0 then return difference < 0 end
  end
  return false
end

local function json(values)
  local names = { 'client', 'clientPhone', 'clientName', 'textMessage', 'delay', 'scheduledFor', 'acceptedAt' }
  local members = {}
  for i, name in ipairs(names) do members[i] = '"' .. name .. '":' .. values[i + 1] end
  return '{' .. table.concat(members, ',') .. '}'
end

local function details_are_earlier(one, other)
  local a, b = fields(one), fields(other)
  local x, y = tonumber(a[8]), tonumber(b[8])
  if x ~= y then return x < y end
  return compare_texts(json(a), json(b), false) < 0
end
`;
