import type { DatabaseSync } from 'node:sqlite';

/** What is counted for each business. Whoever calls sees to the transaction. */
export interface BusinessTable {
  /** The next number of such a row of the business. None is given twice, also after the row was deleted. */
  nextNumber(kind: NumberedKind, business: string): number;
  /** How many messages of the business are known from callbacks alone. */
  callbackOnlyMessages(business: string): number;
  quarantineSize(business: string): { readonly entries: number; readonly bytes: number };
}

export type NumberedKind = 'message' | 'send' | 'quarantined';

export function businessTable(db: DatabaseSync): BusinessTable {
  const next = {
    message: prepareNext(db, 'last_message'),
    send: prepareNext(db, 'last_send'),
    quarantined: prepareNext(db, 'last_quarantined'),
  };
  const counts = db.prepare(
    `SELECT callback_only_messages, quarantine_entries, quarantine_bytes FROM businesses WHERE business = ?`,
  );

  return {
    nextNumber: (kind, business) => Number(next[kind].get(business)?.['number']),
    callbackOnlyMessages: (business) => Number(counts.get(business)?.['callback_only_messages'] ?? 0),
    quarantineSize: (business) => {
      const row = counts.get(business);
      return {
        entries: Number(row?.['quarantine_entries'] ?? 0),
        bytes: Number(row?.['quarantine_bytes'] ?? 0),
      };
    },
  };
}

function prepareNext(db: DatabaseSync, column: string) {
  return db.prepare(
    `INSERT INTO businesses (business, ${column}) VALUES (?, 1)
     ON CONFLICT (business) DO UPDATE SET ${column} = ${column} + 1 RETURNING ${column} AS number`,
  );
}
