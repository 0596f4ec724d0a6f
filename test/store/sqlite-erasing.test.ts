import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { accepted, beginSend, business, newSend, someText, someTime } from './samples.ts';
import { openTestStore, temporaryDirectory } from './sqlite-test-store.ts';
import { startChild } from './start-child.ts';

/** How often something stands in the bytes of a database's files, by file. */
async function occurrences(path: string, text: string): Promise<Record<string, number>> {
  const files = (await readdir(dirname(path))).filter((file) => file.startsWith(basename(path)));
  const counts = files.map(async (file) => {
    const bytes = await readFile(join(dirname(path), file), 'latin1');
    return [file, bytes.split(text).length - 1] as const;
  });
  return Object.fromEntries((await Promise.all(counts)).filter(([, count]) => count > 0));
}

const phone = '3930000077';
const forgotten = { business, client: 'jane', clientPhone: phone };

test('after a client is forgotten among 20,000 messages, the WAL has nothing of it, and after a VACUUM no file has', async () => {
  await using t = await openTestStore();
  const janes = { client: 'jane', clientPhone: phone, textMessage: 'a secret of jane' };
  for (let first = 0; first < 20_000; first += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, index) =>
      accepted(`m${(first + index) * 7919}`, index % 7 === 0 ? janes : {}),
    );
    await t.store.record(batch);
  }
  const attempt = await beginSend(t.store, newSend({ text: { ...someText, ...janes } }));
  await t.store.fail(business, attempt, 'PINGUP_REJECTED', someTime);
  const texts = [phone, 'a secret of jane'];
  expect(await occurrences(t.path, phone)).toHaveProperty('gateway.db-wal');

  expect(await t.store.forget(forgotten)).toEqual({ messages: 2_860, sends: 1 });
  expect((await stat(`${t.path}-wal`)).size).toBe(0);
  await t.store.vacuum?.();
  for (const text of texts) expect(await occurrences(t.path, text)).toEqual({});
  expect(await t.store.list({ business, first: 1 })).toMatchObject({ hasMore: true });
});

test('retention empties the WAL, too', async () => {
  await using t = await openTestStore();
  await t.store.record([accepted('m1', { clientPhone: phone })]);
  await t.store.prune(someTime + 1_000);
  expect((await stat(`${t.path}-wal`)).size).toBe(0);
  expect(await occurrences(t.path, phone)).toEqual({});
});

test('quarantined callbacks that are deleted leave nothing in the file or the WAL', async () => {
  await using t = await openTestStore();
  const raw = `{"to":"${phone}"}`;
  await t.store.record([], [{ business, raw, reason: 'no id', receivedAt: someTime }]);
  expect(await occurrences(t.path, phone)).toHaveProperty('gateway.db-wal');
  expect(await t.store.deleteQuarantined(business, ['1'])).toBe(1);
  expect(await occurrences(t.path, phone)).toEqual({});
});

test('what is deleted is overwritten, and not only left out of its table', async () => {
  await using t = await openTestStore();
  await t.store.record([accepted('m1', { textMessage: 'never seen again' }), accepted('m2')]);
  await t.store.forget({ business, client: 'jon', clientPhone: null });
  expect(await occurrences(t.path, 'never seen again')).toEqual({});
});

test('a reader in the way of emptying the WAL is told of once, and it is emptied once it is gone', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const heard: string[] = [];
  const hear = (_: object, sentence: string) => heard.push(sentence);
  const log = { info: hear, warn: hear, error: hear };
  await using store = await openSqliteStore({ path, log, walEveryMs: 20 });
  await store.record([accepted('m1', { clientPhone: phone })]);
  using reader = new DatabaseSync(path, { readOnly: true });
  reader.exec('BEGIN; SELECT count(*) FROM messages');
  reader.prepare('SELECT count(*) FROM messages').get();
  expect(await store.forget(forgotten)).toEqual({ messages: 1, sends: 0 });
  await store.forget(forgotten);
  expect(await occurrences(path, phone)).toHaveProperty('gateway.db-wal');
  expect(heard).toEqual([expect.stringMatching(/cannot be emptied, since another program reads/)]);
  reader.exec('COMMIT');
  await expect.poll(() => heard.at(-1)).toBe('The WAL of the database was emptied.');
  expect(heard).toHaveLength(2);
  expect(await occurrences(path, phone)).toEqual({});
});

test('the WAL is emptied at the start, in case a former process erased something last', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await using child = startChild(path, 'write');
  for (let line = ''; !line.startsWith('wrote'); ) line = (await child.line()) ?? '';
  await child.kill();
  expect((await stat(`${path}-wal`)).size).toBeGreaterThan(0);
  await using store = await openSqliteStore({ path });
  expect(store.condition?.walBytes).toBe(0);
});

test('a VACUUM keeps all that is there, and other calls are served after it', async () => {
  await using t = await openTestStore();
  await t.store.record(Array.from({ length: 500 }, (_, index) => accepted(`m${index}`)));
  const vacuumed = t.store.vacuum?.();
  await t.store.record([accepted('meanwhile')]);
  await vacuumed;
  await t.reopen();
  expect(await t.store.find({ business, id: 'm499' })).toEqual(accepted('m499'));
  expect(await t.store.find({ business, id: 'meanwhile' })).toEqual(accepted('meanwhile'));
});

test('only their owner may read the files of a new database', async () => {
  await using t = await openTestStore();
  const suffixes = ['', '-wal', '-shm', '-owner', '-owner-generation'];
  const modes = suffixes.map(async (suffix) => (await stat(`${t.path}${suffix}`)).mode & 0o777);
  expect(await Promise.all(modes)).toEqual(suffixes.map(() => 0o600));
});

test('a database that is there keeps its mode, and its WAL has the same', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await writeFile(path, '', { mode: 0o640 });
  await using _store = await openSqliteStore({ path });
  for (const suffix of ['', '-wal', '-shm'])
    expect([suffix, (await stat(`${path}${suffix}`)).mode & 0o777]).toEqual([suffix, 0o640]);
});
