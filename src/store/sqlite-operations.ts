import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { updatedAtOf } from '../message.ts';
import { messageTable } from './sqlite-messages.ts';
import type { Operations, PrunedTable } from './sqlite-protocol.ts';

/** How many rows a prune deletes at a time: few enough that no other call waits long. Quarantined bodies are big. */
const pruneBatch: Readonly<Record<PrunedTable, number>> = { messages: 500, sends: 500, quarantine: 20 };

/** What the worker serves, on a database whose schema is current. Whoever calls sees to the transaction. */
export function createOperations(db: DatabaseSync): Operations {
  const messages = messageTable(db);
  const sends = sendTable(db);
  const quarantine = quarantineTable(db);
  const probe = db.prepare('UPDATE probe SET writes = writes + 1');

  return {
    begin: sends.begin,
    accept: (attempt, message) => {
      sends.settle(attempt, 'ACCEPTED', message.id, updatedAtOf(message));
      return messages.merge(message);
    },
    fail: (attempt, code, at) => {
      sends.settle(attempt, code, null, at);
      return null;
    },
    record: (news, quarantined, watched) => {
      const merged = news.map(messages.merge);
      for (const callback of quarantined) quarantine.keep(callback);
      return watched.length === 0 ? [] : merged.filter((message) => watched.includes(message.id));
    },
    prune: (table, before) => ({ messages, sends, quarantine })[table].prune(before, pruneBatch[table]),
    check: () => {
      probe.run();
      return null;
    },
    find: (ids) => ids.map(messages.find).filter((message) => message !== undefined),
    list: messages.list,
  };
}

function sendTable(db: DatabaseSync) {
  const insert = db.prepare('INSERT INTO sends (input, begun_at) VALUES (?, ?)');
  const settle = db.prepare('UPDATE sends SET outcome = ?, message_id = ?, settled_at = ? WHERE seq = ?');
  const deleteOld = db.prepare(
    `DELETE FROM sends WHERE seq IN
       (SELECT seq FROM sends WHERE begun_at < ?1 AND coalesce(settled_at, begun_at) < ?1 LIMIT ?2)`,
  );
  const begin: Operations['begin'] = (text, at) =>
    String(insert.run(JSON.stringify(text), at).lastInsertRowid);
  return {
    begin,
    settle: (attempt: string, outcome: string, messageId: string | null, at: number) =>
      settle.run(outcome, messageId, at, Number(attempt)),
    prune: (before: number, limit: number) => Number(deleteOld.run(before, limit).changes),
  };
}

function quarantineTable(db: DatabaseSync) {
  // Keyed by the hash, so that the index stays small whatever the size of the bodies.
  const upsert = db.prepare(
    `INSERT INTO quarantine (raw_sha256, raw, reason, first_received_at, last_received_at) VALUES (?, ?, ?, ?4, ?4)
     ON CONFLICT (raw_sha256) DO UPDATE SET
       times = times + 1,
       reason = excluded.reason,
       first_received_at = min(first_received_at, excluded.first_received_at),
       last_received_at = max(last_received_at, excluded.last_received_at)`,
  );
  const deleteOld = db.prepare(
    'DELETE FROM quarantine WHERE seq IN (SELECT seq FROM quarantine WHERE last_received_at < ? LIMIT ?)',
  );
  return {
    keep: ({ raw, reason, receivedAt }: { raw: string; reason: string; receivedAt: number }) =>
      upsert.run(hash('sha256', raw, 'buffer'), raw, reason, receivedAt),
    prune: (before: number, limit: number) => Number(deleteOld.run(before, limit).changes),
  };
}
