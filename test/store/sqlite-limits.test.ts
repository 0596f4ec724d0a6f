import { DatabaseSync } from 'node:sqlite';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallbackRoomError } from '../../src/callback-room-error.ts';
import { deliveryStatuses, type Message } from '../../src/message.ts';
import type { Attempt } from '../../src/send.ts';
import type { Store } from '../../src/store/port.ts';
import { dropOldestStatement } from '../../src/store/sqlite-callback-only.ts';
import { forgetBatch, forgetStatements } from '../../src/store/sqlite-forget.ts';
import { pageStatements } from '../../src/store/sqlite-quarantine.ts';
import { accepted, beginSend, business, newSend, news, someText, someTime } from './samples.ts';
import { openTestStore, rowsOf } from './sqlite-test-store.ts';

/** What the counters say, and what counting the rows says. */
const counters = `SELECT business, callback_only_messages, quarantine_entries, quarantine_bytes
  FROM businesses ORDER BY business`;
const truth = `SELECT business,
    (SELECT count(*) FROM messages WHERE business = b.business AND details IS NULL) AS callback_only_messages,
    (SELECT count(*) FROM quarantine WHERE business = b.business) AS quarantine_entries,
    (SELECT coalesce(sum(bytes), 0) FROM quarantine WHERE business = b.business) AS quarantine_bytes
  FROM businesses AS b ORDER BY business`;
const takenBytes = 'SELECT DISTINCT bytes - length(body) - octet_length(reason) AS overhead FROM quarantine';

test('whatever is written, deleted, dropped and evicted, the counters are what counting the rows gives', async () => {
  await using t = await openTestStore({ limits: { callbackOnlyMessages: 4, quarantineEntries: 3 } });
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 30 }), async (steps) => {
      for (const step of steps) await take(t.store, step);
      expect(rowsOf(t.path, counters)).toEqual(rowsOf(t.path, truth));
      for (const row of rowsOf(t.path, takenBytes)) expect(row).toEqual({ overhead: 200 });
    }),
    { numRuns: 60 },
  );
  expect(rowsOf(t.path, counters)).toHaveLength(2);
});

const hourMs = 3_600_000;
const anyBusiness = fc.constantFrom(business, 'other');
const anyId = fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8');
/** Some older than a day, and some younger. */
const anyInstant = fc.integer({ min: 0, max: 72 }).map((hours) => Date.now() - hours * hourMs);
const anyNews: fc.Arbitrary<Message> = fc
  .tuple(anyBusiness, anyId, fc.constantFrom(...deliveryStatuses), anyInstant)
  .map(([whose, id, status, at]) => ({ ...news(id, status, at), business: whose }));
const anyCallback = fc.record({
  business: anyBusiness,
  raw: fc.string({ maxLength: 3 }),
  reason: fc.string({ unit: 'grapheme', maxLength: 9 }),
  receivedAt: anyInstant,
});
const anyStep = fc.oneof(
  fc.record({
    kind: fc.constant('record'),
    news: fc.array(anyNews, { maxLength: 6 }),
    odd: fc.array(anyCallback),
  }),
  fc.record({ kind: fc.constant('accept'), business: anyBusiness, id: anyId }),
  fc.record({ kind: fc.constant('release'), business: anyBusiness, number: fc.nat(9), news: anyNews }),
  fc.record({ kind: fc.constant('delete'), business: anyBusiness, number: fc.nat(9) }),
  fc.record({ kind: fc.constant('prune'), before: anyInstant }),
  fc.record({ kind: fc.constant('forget'), business: anyBusiness }),
);

type StepOf<A> = A extends fc.Arbitrary<infer Step> ? Step : never;

async function take(store: Store, step: StepOf<typeof anyStep>): Promise<void> {
  try {
    await attempt(store, step);
  } catch (error) {
    if (!(error instanceof CallbackRoomError)) throw error;
  }
}

async function attempt(store: Store, step: StepOf<typeof anyStep>): Promise<unknown> {
  if ('odd' in step) return store.record(step.news, step.odd);
  if ('before' in step) return store.prune(step.before);
  if ('id' in step) {
    const send = await beginSend(store, newSend({ business: step.business }));
    return store.accept(send, { ...accepted(step.id), business: step.business });
  }
  if (!('number' in step)) return store.forget({ business: step.business, client: 'jon', clientPhone: null });
  const id = await idOfSome(store, step.business, step.number);
  if ('news' in step) return store.release(step.business, id, [{ ...step.news, business: step.business }]);
  return store.deleteQuarantined(step.business, [id, 'none']);
}

async function idOfSome(store: Store, whose: string, place: number): Promise<string> {
  const { entries } = await store.quarantined({ business: whose, first: 100 });
  return entries[place]?.callback.id ?? 'none';
}

test.each([
  ['is damaged', Buffer.from('no frame')],
  ['unpacks to more than 1 MiB', zstdCompressSync(Buffer.alloc(64 * 1_048_576))],
])('a body that %s is not read by a list, and fails alone', async (_how, body) => {
  await using t = await openTestStore();
  for (const raw of ['1', '2']) await t.store.record([], [{ business, raw, reason: 'r', receivedAt: 1 }]);
  {
    using db = new DatabaseSync(t.path);
    db.prepare('UPDATE quarantine SET body = ? WHERE number = 1').run(body);
  }
  expect((await t.store.quarantined({ business, first: 9 })).entries).toHaveLength(2);
  const rejection = { code: 'STORE_UNAVAILABLE' };
  await expect(t.store.findQuarantined(business, '1')).rejects.toMatchObject(rejection);
  expect(await t.store.findQuarantined(business, '2')).toMatchObject({ raw: '2' });
});

test.each([
  ['messages', 'client', 'messages_by_client (business=? AND client=?)'],
  ['messages', 'phone', 'messages_by_phone (business=? AND phone=?)'],
  ['sends', 'client', 'sends_by_client (business=? AND client=? AND rowid>?)'],
  ['sends', 'phone', 'sends_by_phone (business=? AND phone=? AND rowid>?)'],
] as const)('%s are forgotten by %s along an index of those alone', async (table, by, index) => {
  await using t = await openTestStore();
  const { find, erase } = forgetStatements[table](by);
  expect(planOf(t.path, find)).toEqual([
    expect.stringContaining(`SEARCH ${table} USING COVERING INDEX ${index}`),
  ]);
  expect(planOf(t.path, erase)).toEqual([`SEARCH ${table} USING INTEGER PRIMARY KEY (rowid=?)`]);
});

test('what makes room, and each page of a quarantine, is found along an index, in its order', async () => {
  await using t = await openTestStore();
  expect(planOf(t.path, dropOldestStatement)).toEqual([
    'SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH messages USING INDEX messages_from_callbacks (business=? AND created_at<?)',
  ]);
  const index = 'SEARCH quarantine USING INDEX sqlite_autoindex_quarantine_2';
  expect(planOf(t.path, pageStatements.newest)).toEqual([`${index} (business=? AND number<?)`]);
  expect(planOf(t.path, pageStatements.oldest)).toEqual([`${index} (business=?)`]);
});

function planOf(path: string, sql: string): unknown[] {
  using db = new DatabaseSync(path, { readOnly: true });
  return db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => row['detail'])
    .filter((detail) => detail !== 'LIST SUBQUERY 1');
}

test('forgetting a client takes as many steps as it has rows, whatever else is there, 50 rows in each', async () => {
  const alone = await stepsToForget(0);
  expect(await stepsToForget(4_000)).toBe(alone);
  // 120 messages and 120 sends by client, as many by phone, and 60 that are PENDING in each.
  const steps = (rows: number) => Math.floor(rows / forgetBatch) + 1;
  // The last empties the WAL.
  expect(alone).toBe(2 * (steps(120) + steps(180)) + 1);
});

async function stepsToForget(others: number): Promise<number> {
  let calls = 0;
  await using t = await openTestStore({
    onBatch: (_milliseconds, count) => (calls += count),
    // Its calls would be counted, too.
    checkStartMs: 3_600_000,
  });
  const phone = '4912345678';
  const ways = [
    { client: 'anna', clientPhone: null },
    { client: null, clientPhone: phone },
  ];
  for (const who of ways) {
    await sendMany(t.store, 120, who, true);
    await sendMany(t.store, 60, who, false);
  }
  await sendMany(t.store, others, { client: 'other', clientPhone: '4900000000' }, true);
  calls = 0;
  const forgotten = await t.store.forget({ business, client: 'anna', clientPhone: phone });
  expect(forgotten).toEqual({ messages: 240, sends: 240 });
  return calls;
}

type Who = Pick<typeof someText, 'client' | 'clientPhone'>;

async function sendMany(store: Store, count: number, who: Who, isAccepted: boolean): Promise<void> {
  async function one(): Promise<void> {
    const send: Attempt = await beginSend(store, newSend({ text: { ...someText, ...who } }));
    if (isAccepted) await store.accept(send, accepted(`m${send}`, who));
  }
  await Promise.all(Array.from({ length: count }, one));
}

test('a status that comes by callback touches no index of a client or phone', async () => {
  await using t = await openTestStore();
  await t.store.record([accepted('m1')]);
  await t.store.record([news('m1', 'READ', someTime + 9)]);
  const row = rowsOf(t.path, 'SELECT client, phone, status FROM messages')[0];
  expect(row).toEqual({ client: 'jon', phone: someText.clientPhone, status: 'READ' });
});
