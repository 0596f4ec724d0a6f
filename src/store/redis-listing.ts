import type { CursorKind } from './redis-cursor.ts';
import { cursorOf, memberOf } from './redis-cursor.ts';
import { scriptOrder } from './redis-evaluate.ts';
import { type Fleet, partitions } from './redis-fleet.ts';
import { prefixOf } from './redis-keys.ts';
import { createScript } from './redis-script.ts';
import { stampLength } from './redis-stamps.ts';

/** Members of indexes have a stamp first, and all the same score, so they are in the order of their stamps. */
export interface ListQuery {
  readonly kind: CursorKind;
  readonly first: number;
  readonly after: string | undefined;
  /** The indexes to look through, without the prefix. No member is in two of them. */
  readonly indexes: readonly string[];
}

export interface Listed<T> {
  readonly entries: readonly { readonly cursor: string; readonly entry: T }[];
  readonly hasMore: boolean;
}

/** Reads the part of an index that is in one partition. What moves from one index to another meanwhile is found once. */
const rangeScript = createScript(
  'read',
  `
local found = {}
for i, index in ipairs(KEYS) do
  found[i] = redis.call('ZRANGE', index, ARGV[1], '-', 'BYLEX', 'REV', 'LIMIT', 0, ARGV[2])
end
return found
`,
);

/** How many members each partition is asked for at first, besides its share. */
const spare = 4;

/**
 * A page of a list that is spread over all partitions, newest first.
 *
 * @param read reads the entries of members; undefined for one that is gone or does not fit any more.
 * @throws GatewayError BAD_USER_INPUT for a cursor of another list, or of none.
 */
export async function readPage<T>(
  fleet: Fleet,
  { kind, first, after, indexes }: ListQuery,
  read: (members: readonly string[]) => Promise<readonly (T | undefined)[]>,
  until: number,
): Promise<Listed<T>> {
  let before = after === undefined ? undefined : memberOf(kind, after);
  const entries: { cursor: string; entry: T }[] = [];
  if (indexes.length === 0) return { entries, hasMore: false };
  for (;;) {
    const wanted = first - entries.length;
    // One more than asked for tells whether there are more.
    const found = await newestMembers(fleet, indexes, before, wanted + 1, until);
    const members = found.slice(0, wanted);
    for (const [index, entry] of (await read(members)).entries()) {
      if (entry !== undefined) entries.push({ cursor: cursorOf(kind, members[index] ?? ''), entry });
    }
    const hasMore = found.length > wanted;
    if (!hasMore || entries.length === first) return { entries, hasMore };
    before = members.at(-1);
  }
}

/** Asks each partition for its share, and those whose share was not all they have for the rest. */
async function newestMembers(
  fleet: Fleet,
  indexes: readonly string[],
  before: string | undefined,
  limit: number,
  until: number,
): Promise<readonly string[]> {
  let found: string[] = [];
  let open = partitions.map((partition) => ({ partition, below: before }));
  let count = Math.min(limit, Math.ceil(limit / partitions.length) + spare);
  while (open.length > 0) {
    const pages = await Promise.all(
      open.map(async ({ partition, below }) => {
        const keys = indexes.map((index) => `${prefixOf(partition)}${index}`);
        const args = [below === undefined ? '+' : `(${below}`, String(count)];
        const parts = await fleet.read<readonly string[][]>(
          partition,
          scriptOrder(rangeScript, keys, args),
          until,
        );
        return { partition, members: newestFirst(parts.flat()).slice(0, count) };
      }),
    );
    found = newestFirst([...found, ...pages.flatMap(({ members }) => members)]).slice(0, limit);
    const last = found.length < limit ? undefined : found.at(-1);
    open = pages
      .filter(({ members }) => members.length === count && isBefore(last, members.at(-1)))
      .map(({ partition, members }) => ({ partition, below: members.at(-1) }));
    count = limit;
  }
  return found;
}

/** Whether something newer than `last` may follow after `seen`. */
function isBefore(last: string | undefined, seen: string | undefined): boolean {
  return last === undefined || seen === undefined || compareMembers(seen, last) > 0;
}

function newestFirst(members: readonly string[]): string[] {
  return [...new Set(members)].sort((a, b) => compareMembers(b, a));
}

/** As Redis orders them, by their bytes. */
function compareMembers(a: string, b: string): number {
  const [one, other] = [a.slice(0, stampLength), b.slice(0, stampLength)];
  if (one !== other) return one < other ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
