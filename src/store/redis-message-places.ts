import { deliveryStatuses } from '../message.ts';

const ranks = deliveryStatuses.map((status, index) => `${status} = ${index + 1}`).join(', ');

/** What a script needs to know of a message: where its status ranks, and in which indexes it is. */
export const places = String.raw`
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
