import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { accepted } from './samples.ts';
import { temporaryDirectory } from './sqlite-test-store.ts';

test('a WAL that a reader makes grow is measured, and warned of once; it is said when it is small again', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const told: string[] = [];
  const tell = (_: object, sentence: string) => told.push(sentence);
  const log = { info: tell, warn: tell, error: tell };
  await using store = await openSqliteStore({ path, log, walWarnBytes: 400_000, walEveryMs: 20 });
  using reader = new DatabaseSync(path, { readOnly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM messages').get();
  for (let index = 0; told.length === 0; index += 1)
    await store.record([accepted(`m${index}`, { textMessage: 'a'.repeat(4_096) })]);
  expect(told).toEqual([expect.stringMatching(/WAL of the database grows.*a backup that hangs/)]);
  expect(store.condition?.walBytes).toBe((await stat(`${path}-wal`)).size);
  expect(store.condition?.walBytes).toBeGreaterThan(400_000);
  for (let index = 0; index < 20; index += 1) await store.record([accepted(`n${index}`)]);
  reader.exec('COMMIT');
  await store.forget({ business: 'nobody', client: 'nobody', clientPhone: null });
  await expect.poll(() => told.at(-1)).toBe('The WAL of the database is small again.');
  expect(told).toHaveLength(2);
});
