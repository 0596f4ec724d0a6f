import type { DatabaseSync } from 'node:sqlite';
import type { PrunedTable, WalkedRows } from './sqlite-protocol.ts';

/**
 * Retention without an index: a table is walked along `seq`, oldest first, a batch at a time. It ends at the first
 * batch in which nothing is old, so a row whose clock was wrong holds nobody up, and an index on an instant that every
 * write moves is not paid for.
 */
export type Prune = (before: number, seq: number) => WalkedRows;

interface Walk {
  /** How many rows a batch has: few enough that no other call waits long. Quarantined bodies are big. */
  readonly batch: number;
  readonly key: string;
  readonly created: string;
  /** What is true of a row that nothing touched since the parameter's instant. */
  readonly old: string;
}

const walks: Readonly<Record<PrunedTable, Walk>> = {
  messages: {
    batch: 500,
    key: `business || '/' || id`,
    created: 'created_at',
    old: `updated_at < ?3 AND coalesce(details ->> 'scheduledFor', 0) < ?3`,
  },
  sends: {
    batch: 500,
    key: 'seq',
    created: 'begun_at',
    old: 'max(begun_at, coalesce(settled_at, begun_at)) < ?3',
  },
  quarantine: { batch: 20, key: 'seq', created: 'first_received_at', old: 'last_received_at < ?3' },
};

export function createPrune(db: DatabaseSync, table: PrunedTable): Prune {
  const { batch, key, created, old } = walks[table];
  const look = db.prepare(
    `SELECT max(seq) AS last, min(created) AS oldest
     FROM (SELECT seq, ${created} AS created FROM ${table} WHERE seq > ? ORDER BY seq LIMIT ${batch})`,
  );
  const remove = db.prepare(
    `DELETE FROM ${table} WHERE seq > ?1 AND seq <= ?2 AND ${old} RETURNING ${key} AS key`,
  );
  return (before, seq) => {
    const { last, oldest } = look.get(seq) ?? {};
    if (typeof last !== 'number' || Number(oldest) >= before) return { found: [], next: null };
    return { found: remove.all(seq, last, before).map((row) => String(row['key'])), next: last };
  };
}
