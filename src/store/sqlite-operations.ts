import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { updatedAtOf } from '../message.ts';
import { messageTable } from './sqlite-messages.ts';
import type { Operations } from './sqlite-protocol.ts';
import { createPrune } from './sqlite-prune.ts';
import { sendTable } from './sqlite-sends.ts';

/** What the worker serves, on a database whose schema is current. Whoever calls sees to the transaction. */
export function createOperations(db: DatabaseSync): Operations {
  const messages = messageTable(db);
  const sends = sendTable(db, messages.find);
  const quarantine = quarantineTable(db);
  const prunes = {
    messages: createPrune(db, 'messages'),
    sends: createPrune(db, 'sends'),
    quarantine: createPrune(db, 'quarantine'),
  };
  const probe = db.prepare('UPDATE probe SET writes = writes + 1');

  return {
    begin: sends.begin,
    accept: (attempt, message) => {
      sends.accept(attempt, message.id, updatedAtOf(message));
      return messages.merge(message);
    },
    fail: (attempt, code, at) => {
      sends.fail(attempt, code, at);
      return null;
    },
    settleLost: sends.settleLost,
    record: (news, quarantined, watched) => {
      const merged = news.map(messages.merge);
      for (const callback of quarantined) quarantine.keep(callback);
      return watched.length === 0 ? [] : merged.filter((message) => watched.includes(message.id));
    },
    prune: (table, before, seq) => prunes[table](before, seq),
    check: () => {
      probe.run();
      return null;
    },
    find: (ids) => ids.map(messages.find).filter((message) => message !== undefined),
    list: messages.list,
    sends: sends.list,
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
  return {
    keep: ({ raw, reason, receivedAt }: { raw: string; reason: string; receivedAt: number }) =>
      upsert.run(hash('sha256', raw, 'buffer'), raw, reason, receivedAt),
  };
}
