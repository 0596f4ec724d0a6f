import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { settleLostSends } from '../../src/store/lost-sends.ts';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { startAnyPostgres } from '../support/postgres-server.ts';
import { postgresOptions, testSchema } from './postgres-test-store.ts';
import { beginSend, business, keyedSend, newSend, news, someTime } from './samples.ts';

let server: Awaited<ReturnType<typeof startAnyPostgres>>;
beforeAll(async () => {
  server = await startAnyPostgres();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});
afterEach(() => {
  vi.useRealTimers();
});

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Sets this node's clock, and no timer. */
function setClock(aheadMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + aheadMs });
}

test('the time is that of the server, whatever the clock of the node says', async () => {
  const database = await server.createDatabase();
  const [row] = await database.query('select extract(epoch from clock_timestamp()) * 1000 as now');
  setClock(-10 * minuteMs);
  await using store = await openPostgresStore(postgresOptions(database.url));
  setClock(20 * minuteMs);
  // What the test itself takes is far less.
  expect(Math.abs(store.now() - Number(row?.['now']))).toBeLessThan(5 * minuteMs);
});

test.each([-10, 10])(
  'no send under way of a node is lost for another whose clock is %i minutes off',
  async (minutes) => {
    const database = await server.createDatabase();
    await using sender = await openPostgresStore(postgresOptions(database.url));
    await beginSend(sender, newSend({ at: sender.now() }));
    await beginSend(sender, newSend({ at: sender.now() - hourMs }));
    setClock(minutes * minuteMs);
    await using other = await openPostgresStore(postgresOptions(database.url));
    using _chore = settleLostSends(other, 10_000, pino({ level: 'silent' }));
    const outcomes = async () =>
      (await sender.sends({ business, first: 9 })).entries.map(({ send }) => send.outcome);
    await expect.poll(outcomes).toEqual(['UNKNOWN', 'PENDING']);
  },
);

test('no key expires early for a node whose clock is fast', async () => {
  const database = await server.createDatabase();
  await using first = await openPostgresStore(postgresOptions(database.url));
  await beginSend(first, keyedSend('k', { at: first.now() }));
  setClock(48 * hourMs);
  await using fast = await openPostgresStore(postgresOptions(database.url));
  const again = keyedSend('k', { at: fast.now(), validSince: fast.now() - 24 * hourMs });
  expect(await fast.begin(again)).toEqual({ kind: 'running' });
});

test('after a leap of the clock nothing is deleted and no key expires for a day, and the operator is told', async () => {
  const database = await server.createDatabase();
  const lines: string[] = [];
  const say = (_: object, line: string) => lines.push(line);
  const log = { info: say, warn: say, error: say };
  const open = () => openPostgresStore(postgresOptions(database.url, { log }));
  const later = keyedSend('k', { at: someTime + 9, validSince: someTime + 5 });
  {
    await using store = await open();
    await store.record([news('m1', 'SENT')]);
    await beginSend(store, keyedSend('k', { at: someTime }));
    expect(store.condition?.retentionWaitsUntil).toBeNull();
  }
  await database.query(`update ${testSchema}.clock set last_write = last_write - ${25 * hourMs}`);
  {
    await using store = await open();
    const until = store.condition?.retentionWaitsUntil ?? 0;
    expect(Math.abs(until - store.now() - 24 * hourMs)).toBeLessThan(minuteMs);
    expect(await store.prune(store.now())).toBe(0);
    expect(await store.begin(later)).toEqual({ kind: 'running' });
    const { idempotency } = later;
    expect(idempotency && (await store.findRepeat(business, idempotency))).toEqual({ kind: 'running' });
  }
  await database.query(`update ${testSchema}.clock set waits_until = 1`);
  await using store = await open();
  expect(await store.prune(someTime + hourMs)).toBe(1);
  expect((await store.begin(later)).kind).toBe('begun');
  expect(lines.filter((line) => line.startsWith('The clock is more than a day past'))).toHaveLength(1);
});
