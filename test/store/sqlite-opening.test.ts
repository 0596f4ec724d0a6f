import { chmod, mkdir, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { accepted, news } from './samples.ts';
import { openTestStore, rowsOf, temporaryDirectory } from './sqlite-test-store.ts';
import { startChild } from './start-child.ts';

test('missing directories are made, and an empty file is a new database', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('a/b/gateway.db');
  await mkdir(directory.file('a/b'), { recursive: true });
  await writeFile(path, '');
  await using _one = await openSqliteStore({ path });
  await using _two = await openSqliteStore({
    path: directory.file('c/d/gateway.db'),
  });
});

test('a second store on the same file is refused, by whatever path, until the first is closed', async () => {
  await using t = await openTestStore();
  await using directory = await temporaryDirectory();
  await symlink(t.path, directory.file('link.db'));
  for (const path of [t.path, directory.file('link.db')]) {
    await expect(openSqliteStore({ path })).rejects.toThrow(/in use by another process/);
  }
  await t.reopen();
});

test('a second process on the same file is refused, and let in once the first is killed', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await using first = startChild(path, 'hold');
  expect(await first.line()).toBe('open');
  await using second = startChild(path, 'hold');
  expect(await second.line()).toMatch(/^refusal The database .* is in use by another process/);
  await first.kill();
  await using _store = await openSqliteStore({ path });
});

test('while it is served, other programs can read the file', async () => {
  await using t = await openTestStore();
  await t.store.record([news('m1', 'SENT')]);
  expect(rowsOf(t.path, 'SELECT id, status FROM messages')).toEqual([{ id: 'm1', status: 'SENT' }]);
});

test('a file that is no database is refused, and left alone', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await writeFile(path, 'not a database, '.repeat(1_000));
  await expect(openSqliteStore({ path })).rejects.toThrow(/damaged, or no SQLite database.*Restore it/);
  expect(await readFile(path, 'utf8')).toBe('not a database, '.repeat(1_000));
});

test('a database with a damaged page is refused', async () => {
  await using t = await openTestStore();
  await t.store.record(Array.from({ length: 500 }, (_, index) => accepted(`m${index}`)));
  await t.store[Symbol.asyncDispose]();
  const file = await open(t.path, 'r+');
  const { size } = await stat(t.path);
  for (let at = 8_192; at < size; at += 4_096) await file.write(Buffer.alloc(512, 0xa5), 0, 512, at);
  await file.close();
  await expect(openSqliteStore({ path: t.path })).rejects.toThrow(/damaged, or no SQLite database/);
});

test.each([
  [99, /schema version 99, and this gateway knows version \d+\. Start the newer gateway/],
  [3, /schema version 3, which was never released\. Move it away/],
])('a file with schema version %i is refused, and left alone', async (version, sentence) => {
  await using t = await openTestStore();
  await t.store[Symbol.asyncDispose]();
  using db = new DatabaseSync(t.path);
  db.exec(`PRAGMA user_version = ${version}`);
  await expect(openSqliteStore({ path: t.path })).rejects.toThrow(sentence);
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: version });
});

test('the database of another program is refused, and left alone', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('other.db');
  using db = new DatabaseSync(path);
  db.exec('CREATE TABLE messages (mine TEXT)');
  await expect(openSqliteStore({ path })).rejects.toThrow(/belongs to another program/);
  expect(rowsOf(path, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }]);
});

test('a path below a regular file is refused', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(directory.file('file'), '');
  await expect(openSqliteStore({ path: directory.file('file/gateway.db') })).rejects.toThrow(
    /cannot be written .*Let the gateway's user write/,
  );
});

test('a directory in which nothing may be written is refused', async () => {
  await using directory = await temporaryDirectory();
  await chmod(directory.path, 0o555);
  for (const path of ['gateway.db', 'below/gateway.db']) {
    await using child = startChild(directory.file(path), 'hold', { unprivileged: true });
    expect(await child.line()).toMatch(/^refusal The database .* cannot be written .*Let the gateway's user/);
  }
});

test('a file that may only be read is refused', async () => {
  await using t = await openTestStore();
  await t.store[Symbol.asyncDispose]();
  await chmod(join(t.path, '..'), 0o777);
  await chmod(t.path, 0o444);
  await rm(`${t.path}-owner`);
  await using child = startChild(t.path, 'hold', { unprivileged: true });
  expect(await child.line()).toMatch(/^refusal The database .* cannot be written .*Let the gateway's user/);
});

test('after a refusal the same process can open the file, once the reason is gone', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await writeFile(path, 'not a database, '.repeat(1_000));
  await expect(openSqliteStore({ path })).rejects.toThrow(/damaged/);
  await rm(path);
  await using _store = await openSqliteStore({ path });
});
