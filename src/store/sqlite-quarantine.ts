import { hash } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { KeptCallback, QuarantinedCallback } from './port.ts';
import type { PageOfRows } from './sqlite-protocol.ts';

/** The table of what was not understood. Whoever calls sees to the transaction. */
export interface QuarantineTable {
  /** A body that is there already is counted once more. */
  keep(callback: QuarantinedCallback): void;
  find(business: string, id: string): KeptCallback | undefined;
  remove(business: string, id: string): void;
  /** Newest first. */
  list(page: PageOfRows): KeptCallback[];
}

export function quarantineTable(db: DatabaseSync): QuarantineTable {
  // Keyed by the hash, so that the index stays small whatever the size of the bodies.
  const upsert = db.prepare(
    `INSERT INTO quarantine (business, raw_sha256, raw, reason, first_received_at, last_received_at)
     VALUES (?, ?, ?, ?, ?5, ?5)
     ON CONFLICT (business, raw_sha256) DO UPDATE SET
       times = times + 1,
       reason = excluded.reason,
       first_received_at = min(first_received_at, excluded.first_received_at),
       last_received_at = max(last_received_at, excluded.last_received_at)`,
  );
  const byId = db.prepare('SELECT * FROM quarantine WHERE business = ? AND seq = ?');
  const remove = db.prepare('DELETE FROM quarantine WHERE business = ? AND seq = ?');
  const newest = db.prepare(
    'SELECT * FROM quarantine WHERE business = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
  );

  return {
    keep: ({ business, raw, reason, receivedAt }) =>
      upsert.run(business, hash('sha256', raw, 'buffer'), raw, reason, receivedAt),
    find: (business, id) => {
      const row = byId.get(business, seqOf(id));
      return row && callbackOf(row);
    },
    remove: (business, id) => remove.run(business, seqOf(id)),
    list: ({ business, limit, before }) =>
      newest.all(business, before ?? Number.MAX_SAFE_INTEGER, limit).map(callbackOf),
  };
}

/** A number that no row has for what is no id of ours. */
function seqOf(id: string): number {
  return /^[1-9][0-9]{0,14}$/.test(id) ? Number(id) : -1;
}

function callbackOf(row: Record<string, SQLOutputValue>): KeptCallback {
  return {
    id: String(row['seq']),
    business: String(row['business']),
    raw: String(row['raw']),
    reason: String(row['reason']),
    times: Number(row['times']),
    receivedAt: Number(row['first_received_at']),
    lastReceivedAt: Number(row['last_received_at']),
  };
}
