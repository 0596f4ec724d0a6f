import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyText, type Message, merge } from '../../src/message.ts';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { startAnyPostgres, type TestDatabase } from '../support/postgres-server.ts';
import { oddMessage } from './arbitraries.ts';
import { timeToRefuse } from './contract/test-store.ts';
import { openTestStore, postgresOptions, testSchema } from './postgres-test-store.ts';
import { accepted, beginSend, business, key, keyedSend, newSend, news, someTime } from './samples.ts';

let server: Awaited<ReturnType<typeof startAnyPostgres>>;
beforeAll(async () => {
  server = await startAnyPostgres();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test('whatever is merged, in any order, on two nodes at once, it is what merge of src/message.ts says', async () => {
  const database = await server.createDatabase();
  await using first = await openPostgresStore(postgresOptions(database.url));
  await using second = await openPostgresStore(postgresOptions(database.url));
  let run = 0;
  const ids = fc.constantFrom('a', '\u0000', '\ud800', '\ufffd', '\u{1f600}');
  const said = fc.array(fc.tuple(oddMessage, ids, fc.boolean()), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(said, async (all) => {
      run += 1;
      const messages = all.map(([message, id]) => ({ ...message, id: `${run}${id}` }));
      const expected = new Map<string, Message>();
      for (const message of messages)
        expected.set(keyText(message), merge(expected.get(keyText(message)), message));
      await Promise.all(
        messages.map((message, index) => (all[index]?.[2] ? first : second).record([message])),
      );
      for (const message of expected.values()) expect(await first.find(message)).toEqual(message);
    }),
    { numRuns: 60 },
  );
});

test('a merge that changes nothing writes nothing, and one that changes something takes the next number', async () => {
  const database = await server.createDatabase();
  await using t = await openTestStore(database);
  await t.store.record([news('m1', 'SENT'), news('m2', 'SENT')]);
  const before = await rowsOf(database);
  await t.store.record([news('m1', 'SENT'), news('m1', 'SENT', someTime + 9), news('m2', 'READ')]);
  const after = await rowsOf(database);
  expect(after[0]).toEqual(before[0]);
  expect(Number(after[1]?.['change'])).toBeGreaterThan(Number(before[1]?.['change']));
});

/** Each message by its id, with the place of its row, which every write moves. */
function rowsOf(database: TestDatabase) {
  return database.query(`select id, change, ctid::text from ${testSchema}.message order by id`);
}

test('a row that the server cannot take is set apart, and what shared its transaction is written', async () => {
  const database = await server.createDatabase();
  await using t = await openTestStore(database);
  // Too long for an index: what comes in is checked before it gets here.
  const tooLong = Array.from({ length: 9_000 }, (_, index) =>
    String.fromCodePoint(0x4e00 + ((index * 7) % 20_000)),
  ).join('');
  const ids = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const writes = ids.map((id) => t.store.record([news(id, 'SENT')]));
  const bad = t.store.record([news('beside', 'SENT'), news(tooLong, 'SENT')]);
  const begun = t.store.begin(newSend());
  await expect(bad).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await Promise.all(writes);
  expect(await begun).toMatchObject({ kind: 'begun' });
  expect(await t.store.find(key('beside'))).toEqual(news('beside', 'SENT'));
  expect((await t.store.list({ business, first: 100 })).entries).toHaveLength(41);
});

test('an instant that is none is set apart too', async () => {
  await using t = await openTestStore(await server.createDatabase());
  const bad = [-1, 0.5, Number.NaN].map((at) => t.store.record([news('bad', 'SENT', at)]));
  const good = t.store.record([news('m1', 'SENT')]);
  for (const write of bad) await expect(write).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await good;
  expect(await t.store.find(key('bad'))).toBeUndefined();
});

test('two nodes that write the same businesses in opposite orders never wait for each other in a circle', async () => {
  const database = await server.createDatabase();
  await using first = await openPostgresStore(postgresOptions(database.url));
  await using second = await openPostgresStore(postgresOptions(database.url));
  const businesses = Array.from({ length: 12 }, (_, index) => `b${index}`);
  const write = (whose: readonly string[]) => whose.map((each) => ({ ...news('m', 'SENT'), business: each }));
  for (let round = 0; round < 10; round += 1)
    await Promise.all([first.record(write(businesses)), second.record(write(businesses.toReversed()))]);
  const [row] = await database.query(
    'select deadlocks::int from pg_stat_database where datname = current_database()',
  );
  expect(row).toEqual({ deadlocks: 0 });
});

test('one key that two nodes use at once is begun by one of them', async () => {
  const database = await server.createDatabase();
  await using first = await openPostgresStore(postgresOptions(database.url));
  await using second = await openPostgresStore(postgresOptions(database.url));
  for (let round = 0; round < 20; round += 1) {
    const calls = [first, second, first, second].map((store) => store.begin(keyedSend(`k${round}`)));
    const kinds = (await Promise.all(calls)).map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual(['begun', 'running', 'running', 'running']);
  }
});

test('numbers and counts of a business have no gap, whichever node gives them', async () => {
  const database = await server.createDatabase();
  await using first = await openPostgresStore(postgresOptions(database.url));
  await using second = await openPostgresStore(postgresOptions(database.url));
  const stores = [first, second];
  const each = (index: number) => stores[index % 2] ?? first;
  const attempts = await Promise.all(Array.from({ length: 30 }, (_, index) => beginSend(each(index))));
  await Promise.all(attempts.map((attempt, index) => each(index).accept(attempt, accepted(`m${attempt}`))));
  await Promise.all(attempts.map((_, index) => each(index).record([news(`c${index}`, 'SENT')])));
  expect(attempts.map(Number).toSorted((a, b) => a - b)).toEqual(attempts.map((_, index) => index + 1));
  const [row] = await database.query(
    `select last_message::int, last_send::int, callback_only_messages::int,
       (select count(distinct number)::int from ${testSchema}.message) as numbers
     from ${testSchema}.business order by change desc limit 1`,
  );
  expect(row).toEqual({ last_message: 60, last_send: 30, callback_only_messages: 30, numbers: 60 });
});

test('a begin that was given up, and happened all the same, gives its key back and is NOT_SENT', async () => {
  await using t = await openTestStore(await server.createDatabase(), { patienceMs: 300 });
  await t.breakDown();
  await timeToRefuse(t.store.begin(keyedSend('k')));
  await t.repair();
  await expect.poll(() => t.store.begin(keyedSend('k')).then(({ kind }) => kind, String)).toBe('begun');
  const { entries } = await t.store.sends({ business, first: 9 });
  expect(entries[0]?.send.outcome).toBe('PENDING');
  for (const { send } of entries.slice(1)) expect(send.outcome).toBe('NOT_SENT');
});
