import type { DatabaseSync } from 'node:sqlite';
import type { BusinessTable } from './sqlite-businesses.ts';
import type { StoreClock } from './sqlite-clock.ts';

/**
 * Makes room for one more message of a business that is known from callbacks alone: if there are as many as there may
 * be, the oldest that are old enough go. Returns the ids of those; null: nothing is old enough, and there is no room.
 */
export type MakeRoom = (business: string) => readonly string[] | null;

/**
 * What was first heard of within this long is never dropped: the send that it belongs to may still be settled. It counts
 * from the first news, so that no later callback keeps a message for longer.
 */
const youngMs = 86_400_000;

/** How many go at a time: more than the one that comes, so that a limit that was lowered is reached. */
const maxDropped = 10;

export const dropOldestStatement = `DELETE FROM messages WHERE seq IN (
    SELECT seq FROM messages WHERE business = ? AND details IS NULL AND created_at < ? ORDER BY created_at LIMIT ?
  ) RETURNING id`;

export function createMakeRoom(
  db: DatabaseSync,
  businesses: Pick<BusinessTable, 'callbackOnlyMessages'>,
  limit: number,
  clock: Pick<StoreClock, 'waitsUntil'>,
): MakeRoom {
  const dropOldest = db.prepare(dropOldestStatement);

  return (business) => {
    const excess = businesses.callbackOnlyMessages(business) - limit + 1;
    if (excess <= 0) return [];
    // After a leap of the clock, what is young would look old.
    const before = clock.waitsUntil === null ? Date.now() - youngMs : 0;
    const rows = dropOldest.all(business, before, Math.min(excess, maxDropped));
    return rows.length > 0 ? rows.map((row) => String(row['id'])) : null;
  };
}
