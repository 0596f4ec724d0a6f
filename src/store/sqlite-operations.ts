import type { DatabaseSync } from 'node:sqlite';
import { keyText, type Message, updatedAtOf } from '../message.ts';
import type { StoreLimits } from '../store-limits.ts';
import type { EvictedCallback } from './port.ts';
import { businessTable } from './sqlite-businesses.ts';
import { createMakeRoom } from './sqlite-callback-only.ts';
import type { StoreClock } from './sqlite-clock.ts';
import { createFileOperations } from './sqlite-file-operations.ts';
import { createForget } from './sqlite-forget.ts';
import { messageTable } from './sqlite-messages.ts';
import type { Operations, Recorded } from './sqlite-protocol.ts';
import { createPrune } from './sqlite-prune.ts';
import { quarantineTable } from './sqlite-quarantine.ts';
import { createRangeCheck } from './sqlite-range-check.ts';
import { sendTable } from './sqlite-sends.ts';

/** What the worker serves, on a database whose schema is current. Whoever calls sees to the transaction. */
export function createOperations(db: DatabaseSync, limits: StoreLimits, clock: StoreClock): Operations {
  const businesses = businessTable(db);
  const messages = messageTable(db, businesses);
  const sends = sendTable(db, businesses, messages.find);
  const quarantine = quarantineTable(db, businesses, limits);
  const makeRoom = createMakeRoom(db, businesses, limits.callbackOnlyMessages, clock);
  const prunes = {
    messages: createPrune(db, 'messages'),
    sends: createPrune(db, 'sends'),
    quarantine: createPrune(db, 'quarantine'),
  };
  const forgets = { messages: createForget(db, 'messages'), sends: createForget(db, 'sends') };
  const ranges = createRangeCheck(db);
  const probe = db.prepare('UPDATE probe SET writes = writes + 1');

  /** What is quarantined has made room for itself already. */
  function mergeAll(
    news: readonly Message[],
    watched: readonly string[],
    evicted: readonly EvictedCallback[] = [],
  ): Recorded {
    const told = new Set(watched);
    const merged: Message[] = [];
    const refused: string[] = [];
    const dropped: string[] = [];

    function hasRoom(business: string): boolean {
      const gone = makeRoom(business);
      for (const id of gone ?? []) dropped.push(keyText({ business, id }));
      return gone !== null;
    }

    for (const message of news) {
      const known = messages.merge(message, hasRoom);
      if (!known) refused.push(keyText(message));
      else if (told.size > 0 && told.has(keyText(known))) merged.push(known);
    }
    if (refused.length + dropped.length + evicted.length === 0) return { merged };
    return { merged, losses: { refused, dropped, evicted } };
  }

  function accept(attempt: string, message: Message): Message | null {
    const { business, id } = message;
    const known = messages.accept(message, Number(attempt));
    if (known) sends.accept(business, attempt, id, updatedAtOf(message));
    else sends.acceptAnothers(business, attempt, id, updatedAtOf(message));
    return known ?? null;
  }

  return {
    accept,
    begin: (send) =>
      sends.begin({ ...send, idempotency: send.idempotency && clock.holdKey(send.idempotency) }),
    findRepeat: (business, idempotency) => sends.findRepeat(business, clock.holdKey(idempotency)),
    fail: (business, attempt, code, at) => {
      sends.fail(business, attempt, code, at);
      return null;
    },
    settleLost: sends.settleLost,
    record: (news, quarantined, watched) => mergeAll(news, watched, quarantined.flatMap(quarantine.keep)),
    release: (business, id, news, watched) => {
      const recorded = mergeAll(news, watched);
      if (!recorded.losses?.refused.length) quarantine.remove(business, [id]);
      return recorded;
    },
    deleteQuarantined: quarantine.remove,
    prune: (table, before, seq) =>
      clock.waitsUntil === null ? prunes[table](before, seq) : { found: [], next: null },
    retentionWait: () => clock.waitsUntil,
    forget: (table, by, client, seq) => forgets[table](client, by, seq),
    check: () => {
      probe.run();
      return null;
    },
    find: (keys) => keys.map(messages.find).filter((message) => message !== undefined),
    list: messages.list,
    sends: sends.list,
    quarantined: quarantine.list,
    findQuarantined: (business, id) => quarantine.find(business, id) ?? null,
    checkedTables: ranges.tables,
    checkRange: ranges.check,
    ...createFileOperations(db),
  };
}
