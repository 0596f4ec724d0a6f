import type { DatabaseSync } from 'node:sqlite';
import { keyText, type Message, updatedAtOf } from '../message.ts';
import { createForget } from './sqlite-forget.ts';
import { messageTable } from './sqlite-messages.ts';
import type { Operations } from './sqlite-protocol.ts';
import { createPrune } from './sqlite-prune.ts';
import { quarantineTable } from './sqlite-quarantine.ts';
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
  const forgets = { messages: createForget(db, 'messages'), sends: createForget(db, 'sends') };
  const probe = db.prepare('UPDATE probe SET writes = writes + 1');

  function mergeAll(news: readonly Message[], watched: readonly string[]): Message[] {
    const merged = news.map(messages.merge);
    return watched.length === 0 ? [] : merged.filter((message) => watched.includes(keyText(message)));
  }

  return {
    begin: sends.begin,
    findRepeat: sends.findRepeat,
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
      for (const callback of quarantined) quarantine.keep(callback);
      return mergeAll(news, watched);
    },
    release: (business, id, news, watched) => {
      quarantine.remove(business, id);
      return mergeAll(news, watched);
    },
    prune: (table, before, seq) => prunes[table](before, seq),
    forget: (table, client, seq) => forgets[table](client, seq),
    check: () => {
      probe.run();
      return null;
    },
    find: (keys) => keys.map(messages.find).filter((message) => message !== undefined),
    list: messages.list,
    sends: sends.list,
    quarantined: quarantine.list,
    findQuarantined: (business, id) => quarantine.find(business, id) ?? null,
  };
}
