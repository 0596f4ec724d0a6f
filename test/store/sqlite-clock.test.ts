import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { CallbackRoomError } from '../../src/callback-room-error.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { beginSend, business, key, keyedSend, news } from './samples.ts';
import { rowsOf, temporaryDirectory } from './sqlite-test-store.ts';

const day = 86_400_000;

/** A store with a message and a keyed send of this instant, closed. Its clock then leaps by so many days. */
async function openAfterLeap(days: number) {
  const directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const now = Date.now();
  const told: string[] = [];
  const tell = (_: object, sentence: string) => told.push(sentence);
  const open = () => openSqliteStore({ path, log: { info: tell, warn: tell, error: tell } });
  {
    await using store = await open();
    await store.record([news('m1', 'SENT', now)]);
    const attempt = await beginSend(store, keyedSend('k', { at: now }));
    await store.fail(business, attempt, 'PINGUP_REJECTED', now);
  }
  shift(path, days * day);
  return { path, now, told, open, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

/** To the store, a last write that is longer ago is what a clock that leapt ahead is. */
function shift(path: string, milliseconds: number): void {
  using db = new DatabaseSync(path);
  db.prepare('UPDATE clock SET last_write = last_write - ?, waits_until = waits_until - ?').run(
    milliseconds,
    milliseconds,
  );
}

function shiftMessages(path: string, milliseconds: number): void {
  using db = new DatabaseSync(path);
  db.prepare('UPDATE messages SET created_at = created_at - ?').run(milliseconds);
}

test('after a leap of the clock nothing is deleted and no key expires, and the operator is told', async () => {
  await using leap = await openAfterLeap(31);
  await using store = await leap.open();
  const later = leap.now + 31 * day;
  expect(await store.prune(later)).toBe(0);
  expect(await store.find(key('m1'))).toBeDefined();
  expect(await store.begin(keyedSend('k', { at: later, validSince: later - day }))).toEqual({
    kind: 'failed',
    code: 'PINGUP_REJECTED',
  });
  expect(store.condition?.retentionWaitsUntil).toBeGreaterThan(leap.now + day - 1);
  expect(leap.told).toEqual([expect.stringMatching(/^The clock is more than a day past the last write/)]);
});

test('after a leap of the clock no message known only from callbacks makes room for a new one', async () => {
  await using leap = await openAfterLeap(31);
  await using store = await openSqliteStore({ path: leap.path, limits: { callbackOnlyMessages: 1 } });
  shiftMessages(leap.path, 31 * day);
  await expect(store.record([news('m2', 'SENT')])).rejects.toThrow(CallbackRoomError);
  expect(await store.find(key('m1'))).toBeDefined();
});

test('the wait outlives later writes and restarts, and ends after a day', async () => {
  await using leap = await openAfterLeap(31);
  for (let restart = 0; restart < 3; restart += 1) {
    await using store = await leap.open();
    await store.record([news(`n${restart}`, 'SENT', leap.now)]);
    expect(await store.prune(leap.now + 1)).toBe(0);
  }
  const stored = rowsOf(leap.path, 'SELECT waits_until > last_write AS waits FROM clock');
  expect(stored).toEqual([{ waits: 1 }]);
  {
    using db = new DatabaseSync(leap.path);
    db.exec('UPDATE clock SET waits_until = last_write');
  }
  await using store = await leap.open();
  expect(store.condition?.retentionWaitsUntil).toBeNull();
  expect(await store.prune(leap.now + 1)).toBe(4);
  const attempt = keyedSend('k', { at: leap.now, validSince: leap.now + 1 });
  expect(await store.begin(attempt)).toMatchObject({ kind: 'begun' });
});

test('a clock that leaps while the store is served makes it wait, too', async () => {
  await using leap = await openAfterLeap(0);
  await using store = await leap.open();
  shift(leap.path, 2 * day);
  const later = keyedSend('k', { at: leap.now, validSince: leap.now + 1 });
  expect(await store.begin(later)).toMatchObject({ kind: 'failed' });
  expect(await store.prune(leap.now + 1)).toBe(0);
  expect((await store.sends({ business, first: 9 })).entries).toHaveLength(1);
  expect(leap.told).toHaveLength(1);
});

test('a store that was away for less than a day goes on as usual', async () => {
  await using leap = await openAfterLeap(0.9);
  await using store = await leap.open();
  expect(store.condition?.retentionWaitsUntil).toBeNull();
  expect(await store.prune(leap.now + 1)).toBe(1);
  expect(leap.told).toEqual([]);
});

test('the instant of the last write is written at most once a minute', async () => {
  await using leap = await openAfterLeap(0);
  await using store = await leap.open();
  const last = () => rowsOf(leap.path, 'SELECT last_write FROM clock');
  const before = last();
  for (let index = 0; index < 20; index += 1) await store.record([news(`n${index}`, 'SENT')]);
  expect(last()).toEqual(before);
  shift(leap.path, 61_000);
  await store.record([news('n', 'READ')]);
  expect(last()).not.toEqual(before);
});
