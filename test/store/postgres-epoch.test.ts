import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StoreLog } from '../../src/store/log.ts';
import { createEpoch } from '../../src/store/postgres/epoch.ts';
import { startAnyPostgres, type TestDatabase } from '../support/postgres-server.ts';
import { collect, watchKnown } from './contract/test-store.ts';
import { openNodes, type TestNodes } from './postgres-test-nodes.ts';
import { key, news } from './samples.ts';

let server: Awaited<ReturnType<typeof startAnyPostgres>>;
beforeAll(async () => {
  server = await startAnyPostgres();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function collectLog() {
  const sentences: string[] = [];
  const add = (_details: object, sentence: string) => void sentences.push(sentence);
  const log: StoreLog = { info: add, warn: add, error: add };
  return { log, count: (part: string) => sentences.filter((sentence) => sentence.includes(part)).length };
}

interface EpochRow {
  readonly epoch: string;
  readonly timeline: number;
  readonly last: number;
}

async function epochAt(database: TestDatabase): Promise<EpochRow> {
  const [row] = await database.query(
    'select epoch, timeline, last_value::float8 as last from pingup_gateway.epoch, pingup_gateway.change_number',
  );
  return row as unknown as EpochRow;
}

/** The nodes connect anew, as after a restart of the server. */
function cutSessions(database: TestDatabase) {
  return database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'pingup-gateway'",
  );
}

const serves = (nodes: TestNodes, index: number, id: string) =>
  expect
    .poll(() =>
      nodes
        .at(index)
        .record([news(id, 'SENT')])
        .then(() => 'served', String),
    )
    .toBe('served');

test('on another timeline three nodes advance the change numbers once, by a billion, and the epoch stays', async () => {
  const database = await server.createDatabase();
  const { log, count } = collectLog();
  await using nodes = await openNodes(database, 3, { log });
  await nodes.at(0).record([news('m1', 'SENT')]);
  const before = await epochAt(database);
  expect(before.last).toBeLessThan(1_000);
  // As a promoted standby finds it: the row has the timeline of before.
  await database.query('update pingup_gateway.epoch set timeline = timeline + 1');
  const states = await watchKnown(nodes.at(1), 'm1');
  await cutSessions(database);
  for (const index of [0, 1, 2]) await serves(nodes, index, `after${index}`);
  const after = await epochAt(database);
  expect(after).toMatchObject({ epoch: before.epoch, timeline: before.timeline });
  expect(after.last).toBeGreaterThan(1_000_000_000);
  expect(after.last).toBeLessThan(2_000_000_000);
  await nodes.at(2).record([news('m1', 'READ')]);
  expect((await collect(states)).at(-1)).toEqual(await nodes.at(0).find(key('m1')));
  expect(count('is replaced')).toBe(0);
});

test('numbers lower than a node has seen, as after a restore, replace the epoch once, which is logged, and watches go on', async () => {
  const database = await server.createDatabase();
  const { log, count } = collectLog();
  await using nodes = await openNodes(database, 2, { log });
  for (const id of ['m1', 'm2', 'm3']) await nodes.at(0).record([news(id, 'SENT')]);
  const states = await watchKnown(nodes.at(1), 'm1');
  await states.next();
  const before = await epochAt(database);
  await database.query(`select setval('pingup_gateway.change_number', 1)`);
  await expect.poll(() => epochAt(database), { timeout: 10_000 }).not.toMatchObject({ epoch: before.epoch });
  const after = await epochAt(database);
  expect(after.last).toBeGreaterThan(before.last);
  await expect.poll(() => count('The epoch of the store was replaced'), { timeout: 10_000 }).toBe(2);
  expect(count('The epoch is replaced')).toBeGreaterThan(0);
  await nodes.at(0).record([news('m1', 'READ')]);
  expect((await collect(states)).at(-1)).toEqual(await nodes.at(0).find(key('m1')));
  expect(await epochAt(database)).toMatchObject({ epoch: after.epoch });
});

test('a node that was cut off during a restore replaces the epoch before it writes', async () => {
  const database = await server.createDatabase();
  await using nodes = await openNodes(database, 1, { pollMs: 3_600_000 });
  for (const id of ['m1', 'm2', 'm3']) await nodes.at(0).record([news(id, 'SENT')]);
  const before = await epochAt(database);
  await database.query(`select setval('pingup_gateway.change_number', 1)`);
  await cutSessions(database);
  await serves(nodes, 0, 'm4');
  const after = await epochAt(database);
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.last).toBeGreaterThan(before.last);
});

test('acknowledged messages that are gone without a deletion replace the epoch, which is logged once, and their watches end', async () => {
  const database = await server.createDatabase();
  const { log, count } = collectLog();
  await using nodes = await openNodes(database, 1, { log });
  await nodes.at(0).record([news('m1', 'SENT')]);
  const states = await watchKnown(nodes.at(0), 'm1');
  await states.next();
  const before = await epochAt(database);
  await database.query('truncate pingup_gateway.message, pingup_gateway.business');
  expect(await states.next()).toEqual({ done: true, value: undefined });
  expect(await epochAt(database)).not.toMatchObject({ epoch: before.epoch });
  await nodes.at(0).record([news('m1', 'DELIVERED')]);
  const later = await watchKnown(nodes.at(0), 'm1');
  await nodes.at(0).record([news('m1', 'READ')]);
  await collect(later);
  expect(count('The epoch is replaced')).toBe(1);
});

test('tables that are gone are told and not made anew, and once they are back the node serves again', async () => {
  const database = await server.createDatabase();
  const { log, count } = collectLog();
  await using nodes = await openNodes(database, 1, { log });
  const node = nodes.at(0);
  await node.record([news('m1', 'SENT')]);
  await database.query('alter schema pingup_gateway rename to elsewhere');
  await expect.poll(() => count('are gone or empty')).toBe(1);
  expect(node.risks?.join()).toContain('are gone or empty');
  await cutSessions(database);
  await expect(node.record([news('m2', 'SENT')])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expect(node.check()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await database.query(`select to_regclass('pingup_gateway.message') as found`)).toEqual([
    { found: null },
  ]);
  await database.query('alter schema elsewhere rename to pingup_gateway');
  await serves(nodes, 0, 'm3');
  expect(node.risks).toEqual([]);
  expect(await node.find(key('m1'))).toEqual(news('m1', 'SENT'));
  expect(count('are gone or empty')).toBe(1);
});

test('tables that another node has made in the place of those that were lost get no write of this one', async () => {
  const database = await server.createDatabase();
  const { log, count } = collectLog();
  await using nodes = await openNodes(database, 1, { log });
  await nodes.at(0).record([news('m1', 'SENT')]);
  await database.query('drop schema pingup_gateway cascade');
  await using later = await openNodes(database, 1);
  await later.at(0).record([news('m2', 'SENT')]);
  await expect.poll(() => count('were replaced by others') + count('are gone or empty')).toBeGreaterThan(0);
  await expect(nodes.at(0).record([news('m3', 'SENT')])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await cutSessions(database);
  await serves(later, 0, 'm4');
  await expect(nodes.at(0).record([news('m3', 'SENT')])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await later.at(0).find(key('m3'))).toBeUndefined();
});

test('a node that has seen nothing yet goes on with what it finds', async () => {
  const database = await server.createDatabase();
  await using nodes = await openNodes(database, 1);
  await database.query('drop schema pingup_gateway cascade');
  await cutSessions(database);
  await serves(nodes, 0, 'm1');
  expect(await nodes.at(0).find(key('m1'))).toEqual(news('m1', 'SENT'));
});

test('numbers that are seen while a poll waits for its answer are no sign of lost writes', async () => {
  const { log, count } = collectLog();
  const epoch = createEpoch({ schema: 's', log, replaced: () => undefined });
  const row = { store: 'one', id: 'e', timeline: 1, lastNumber: 10 };
  const write = () => Promise.reject(new Error('nothing is to be written'));
  await epoch.compare(row, { seen: epoch.seen, isBehind: false }, write);
  const { seen } = epoch;
  epoch.saw(11);
  await epoch.compare(row, { seen, isBehind: false }, write);
  expect([epoch.id, count('are missing')]).toEqual(['e', 0]);
  await expect(epoch.compare(row, { seen: epoch.seen, isBehind: false }, write)).rejects.toThrow(/written/);
  expect(count('are missing')).toBe(1);
});
