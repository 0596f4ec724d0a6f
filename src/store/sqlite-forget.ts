import type { DatabaseSync } from 'node:sqlite';

import type { ForgottenClient } from '../forgotten-client.ts';
import type { ForgottenTable, WalkedRows } from './sqlite-protocol.ts';

/** Erases a client from a table, walked along `seq` a batch at a time: it is rare, and an index would be paid by all. */
export type Forget = (client: ForgottenClient, seq: number) => WalkedRows;

/** Rows looked at in one batch: few enough that no other call waits long. */
const batch = 500;

/** What is left of whom a send was for, and of what it said. */
const nobody = `'{"client":null,"clientPhone":null,"clientName":null,"textMessage":null,"delay":null}'`;

const statements: Readonly<Record<ForgottenTable, string>> = {
  messages: `DELETE FROM messages
    WHERE seq > ?1 AND seq <= ?2 AND business = ?3 AND (client = ?4 OR details ->> 'clientPhone' = ?5)
    RETURNING business || '/' || id AS key`,
  sends: `UPDATE sends SET input = ${nobody}
    WHERE seq > ?1 AND seq <= ?2 AND business = ?3 AND outcome <> 'PENDING'
      AND (input ->> 'client' = ?4 OR input ->> 'clientPhone' = ?5)
    RETURNING seq AS key`,
};

export function createForget(db: DatabaseSync, table: ForgottenTable): Forget {
  const look = db.prepare(
    `SELECT max(seq) AS last FROM (SELECT seq FROM ${table} WHERE seq > ? ORDER BY seq LIMIT ${batch})`,
  );
  const erase = db.prepare(statements[table]);

  return ({ business, client, clientPhone }, seq) => {
    const last = look.get(seq)?.['last'];
    if (typeof last !== 'number') return { found: [], next: null };
    // What was deleted is written over, too, and not only left out of the table.
    db.exec('PRAGMA secure_delete = ON');
    const erased = erase.all(seq, last, business, client, clientPhone);
    db.exec('PRAGMA secure_delete = OFF');
    return { found: erased.map((row) => String(row['key'])), next: last };
  };
}
