import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { open, stat, truncate } from 'node:fs/promises';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { openDatabase } from '../../src/store/sqlite-opening.ts';
import { createRangeCheck } from '../../src/store/sqlite-range-check.ts';
import { accepted, beginSend, business, key, keyedSend, newSend } from './samples.ts';
import { openTestStore, rowsOf, temporaryDirectory } from './sqlite-test-store.ts';

const pageBytes = 4_096;

/** Fills a database, and closes it. */
async function fill(path: string, messages: number): Promise<void> {
  await using store = await openSqliteStore({ path });
  for (let first = 0; first < messages; first += 1_000) {
    const ids = Array.from({ length: Math.min(1_000, messages - first) }, (_, index) => `m${first + index}`);
    await store.record(ids.map((id) => accepted(id)));
  }
}

/** Makes a page in the middle of a table or an index unreadable. */
async function spoil(path: string, name: string): Promise<void> {
  const leaves = rowsOf(
    path,
    `SELECT pageno FROM dbstat WHERE name = '${name}' AND pagetype = 'leaf' ORDER BY path`,
  );
  const { pageno } = leaves[Math.floor(leaves.length / 2)] as { pageno: number };
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, (pageno - 1) * pageBytes);
  await file.close();
}

/** Bytes that this thread has read from files. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/thread-self/io', 'utf8'))?.[1]);
}

test.runIf(existsSync('/proc/thread-self/io'))(
  'opening reads as few pages of a large database as of a small one',
  async () => {
    await using directory = await temporaryDirectory();
    const pages: number[] = [];
    for (const messages of [1_000, 30_000]) {
      const path = directory.file(`${messages}.db`);
      await fill(path, messages);
      const before = bytesRead();
      openDatabase(path).close();
      pages.push((bytesRead() - before) / pageBytes);
    }
    const [small = 0, large = 0] = pages;
    // Each table is read down to both its ends, and a larger one is at most a level deeper.
    expect(large).toBeLessThan(small + 20);
    expect(large).toBeLessThan(100);
  },
);

test('in the background, each row of each table is read once, in ranges of at most 500', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await fill(path, 2_300);
  const ranges: number[] = [];
  await using store = await openSqliteStore({ path, onCheckedRange: (rows) => ranges.push(rows) });
  // Of messages, and one each of probe, generation and clock; SQLite's own tables besides.
  const total = () => ranges.reduce((sum, rows) => sum + rows, 0);
  await expect.poll(total).toBeGreaterThanOrEqual(2_303);
  expect(Math.max(...ranges)).toBe(500);
  expect(store.condition?.damage).toBeNull();
});

test('a range of big rows ends early', async () => {
  await using t = await openTestStore();
  for (let index = 0; index < 12; index += 1) {
    const raw = randomBytes(450_000).toString('base64');
    await t.store.record([], [{ business, raw, reason: 'r', receivedAt: 1 }]);
  }
  await t.store[Symbol.asyncDispose]();
  using db = new DatabaseSync(t.path);
  const { rows } = createRangeCheck(db).check('quarantine', 0);
  expect(rows).toBeLessThan(12);
});

test.each(['messages', 'messages_by_status', 'sqlite_autoindex_messages_1'])(
  'a damaged page of %s does not keep it from starting, is found in the background, told once, and ends writing',
  async (name) => {
    await using directory = await temporaryDirectory();
    const path = directory.file('gateway.db');
    await fill(path, 3_000);
    await spoil(path, name);
    const told: string[] = [];
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (_: object, sentence: string) => told.push(sentence),
    };
    await using store = await openSqliteStore({ path, log });
    await expect.poll(() => store.condition?.damage).toBeTypeOf('string');
    const refusal = { code: 'STORE_UNAVAILABLE', cause: { message: expect.stringMatching(/is damaged/) } };
    await expect(store.check()).rejects.toMatchObject(refusal);
    await expect(store.record([accepted('new')])).rejects.toMatchObject(refusal);
    await expect(store.begin(newSend())).rejects.toMatchObject(refusal);
    await expect(store.vacuum?.()).rejects.toMatchObject(refusal);
    // Of what is still whole.
    const entries = (await store.list({ business, first: 3 })).entries;
    expect(entries.map(({ message }) => message.id)).toEqual(['m2999', 'm2998', 'm2997']);
    expect(told.filter((sentence) => sentence.startsWith('The database is damaged'))).toHaveLength(1);
  },
);

test('a file that was cut off does not start', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await fill(path, 1_000);
  const { size } = await stat(path);
  await truncate(path, size - pageBytes);
  await expect(openSqliteStore({ path })).rejects.toThrow(/is damaged, or no SQLite database/);
});

test('damage that a call comes upon ends writing at once', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await fill(path, 3_000);
  await spoil(path, 'messages');
  await using store = await openSqliteStore({ path });
  const reads = Array.from({ length: 3_000 }, (_, index) => `m${index}`).map(async (id) => {
    await Promise.resolve();
    return store.find(key(id));
  });
  await Promise.allSettled(reads);
  expect(store.condition?.damage).toMatch(/malformed/);
  await expect(store.record([accepted('new')])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test.each([
  ['messages', 'messages_by_status'],
  ['sends', 'sends_by_key'],
])('a row of %s that the index %s lacks is damage', async (table, index) => {
  await using t = await openTestStore();
  await t.store.record([accepted('m1')]);
  await beginSend(t.store, keyedSend('k'));
  await t.store[Symbol.asyncDispose]();
  const check = (): unknown => {
    using db = new DatabaseSync(t.path);
    return createRangeCheck(db).check(table, 0);
  };
  expect(check()).toEqual({ rows: 1, next: 1 });
  changeBehind(t.path, index, `UPDATE ${table} SET business = 'other'`);
  expect(check).toThrow(`1 rows are missing from the index ${index}`);
});

test('a table without rowids is read in one go', async () => {
  await using t = await openTestStore();
  await t.store[Symbol.asyncDispose]();
  using db = new DatabaseSync(t.path);
  db.exec(`CREATE TABLE keyed (key TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO keyed VALUES ('a'), ('b')`);
  const check = createRangeCheck(db);
  expect(check.tables()).toContain('keyed');
  expect(check.check('keyed', 0)).toEqual({ rows: 2, next: null });
});

/** Runs a statement while an index is out of SQLite's sight, so that it does not change it. */
function changeBehind(path: string, index: string, statement: string): void {
  const alter = (sql: string, ...values: SQLInputValue[]): void => {
    using db = new DatabaseSync(path, { defensive: false });
    db.exec('PRAGMA writable_schema = ON');
    db.prepare(sql).run(...values);
  };
  const [entry] = rowsOf(path, `SELECT * FROM sqlite_schema WHERE name = '${index}'`);
  alter('DELETE FROM sqlite_schema WHERE name = ?', index);
  alter(statement);
  alter(
    'INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)',
    ...Object.values(entry as Record<string, SQLInputValue>),
  );
}

/** Runs the operator's command on a file. */
function run(...args: readonly string[]) {
  const command = new URL('../../src/store/sqlite-command.ts', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

test('the command that checks a database says that it is whole, or what is damaged', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await fill(path, 1_000);
  expect(run('check', path)).toEqual({ status: 0, said: `${path}: ok\n` });
  await spoil(path, 'messages_by_status');
  expect(run('check', path)).toMatchObject({ status: 1, said: expect.stringMatching(/is damaged/) });
});

test('a database can be checked while it is served, and not vacuumed', async () => {
  await using t = await openTestStore();
  expect(run('check', t.path)).toMatchObject({ status: 0 });
  expect(run('vacuum', t.path)).toMatchObject({
    status: 1,
    said: expect.stringMatching(/in use by another/),
  });
  await t.store[Symbol.asyncDispose]();
  expect(run('vacuum', t.path)).toEqual({ status: 0, said: `${t.path}: ok\n` });
  await t.reopen();
});

test('a command without a file, and one that there is not, say so', () => {
  expect(run('check')).toEqual({ status: 1, said: 'usage: (check | vacuum) <path>\n' });
  expect(run('check', '/nowhere/gateway.db')).toEqual({
    status: 1,
    said: 'There is no file /nowhere/gateway.db.\n',
  });
});
