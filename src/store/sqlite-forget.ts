import type { DatabaseSync } from 'node:sqlite';
import type { ForgottenClient } from '../forgotten-client.ts';
import type { ForgottenBy, ForgottenTable, WalkedRows } from './sqlite-protocol.ts';

/**
 * Erases what one table has of a client, a few rows at a time, which are found by an index: it costs what the client
 * has, whatever else is in the table.
 */
export type Forget = (client: ForgottenClient, by: ForgottenBy, seq: number) => WalkedRows;

/** Rows in one batch: so few that a callback that waits for it takes hardly longer than without. */
export const forgetBatch = 50;

/** What is left of whom a send was for, and of what it said. */
const nobody = `'{"client":null,"clientPhone":null,"clientName":null,"textMessage":null,"delay":null}'`;

/**
 * What finds the next rows, and what erases one. The index is named, since the planner has taken others, whose rows are
 * everybody's. Sends are walked along seq, because those that are PENDING stay; messages all go, so that the next are
 * always the first.
 */
export const forgetStatements = {
  messages: (by: ForgottenBy) => ({
    find: `SELECT seq FROM messages INDEXED BY messages_by_${by}
      WHERE business = ? AND ${by} = ? AND ? = 0 LIMIT ${forgetBatch}`,
    erase: `DELETE FROM messages WHERE seq = ? RETURNING business || '/' || id AS key`,
  }),
  sends: (by: ForgottenBy) => ({
    find: `SELECT seq FROM sends INDEXED BY sends_by_${by}
      WHERE business = ? AND ${by} = ? AND seq > ? ORDER BY seq LIMIT ${forgetBatch}`,
    erase: `UPDATE sends SET client = NULL, phone = NULL, input = ${nobody}
      WHERE seq = ? AND outcome <> 'PENDING' RETURNING number AS key`,
  }),
};

export function createForget(db: DatabaseSync, table: ForgottenTable): Forget {
  const statements = { client: prepare('client'), phone: prepare('phone') };

  function prepare(by: ForgottenBy) {
    const { find, erase } = forgetStatements[table](by);
    return { find: db.prepare(find), erase: db.prepare(erase) };
  }

  return (client, by, seq) => {
    const { find, erase } = statements[by];
    const value = by === 'client' ? client.client : client.clientPhone;
    const seqs = find.all(client.business, value, seq).map((row) => Number(row['seq']));
    const found = seqs.flatMap((each) => erase.all(each).map((row) => String(row['key'])));
    const last = table === 'sends' ? Number(seqs.at(-1)) : 0;
    return { found, next: seqs.length < forgetBatch ? null : last };
  };
}
