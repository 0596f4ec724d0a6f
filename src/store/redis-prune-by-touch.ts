/**
 * The part of a script that deletes what was last touched before an instant, where the touches name it as
 * `<business>/<id>`. The script has `prefix` and `remove(business, id, record)` by then.
 *
 * @param letter of the keys that its records are at.
 */
export function pruneByTouch(letter: 'm' | 'q'): string {
  return `
local old = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[2], 'BYSCORE', 'LIMIT', ARGV[3], ARGV[4])
local deleted, kept = {}, 0
for _, member in ipairs(old) do
  local record = redis.call('GET', prefix .. '${letter}:' .. member)
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
`;
}
