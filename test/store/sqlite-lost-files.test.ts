import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { checkGeneration, createGenerations } from '../../src/store/sqlite-generation.ts';
import { openDatabase } from '../../src/store/sqlite-opening.ts';
import { claimDatabase } from '../../src/store/sqlite-owner.ts';
import { accepted, key } from './samples.ts';
import { openTestStore, temporaryDirectory } from './sqlite-test-store.ts';
import { startChild } from './start-child.ts';

/** What was acknowledged by a process that was killed. */
async function writeAndKill(path: string, messages = 30): Promise<string[]> {
  await using child = startChild(path, 'write');
  const ids: string[] = [];
  while (ids.length < messages) {
    const line = (await child.line()) ?? '';
    if (line.startsWith('wrote ')) ids.push(line.slice('wrote '.length));
  }
  return ids;
}

/**
 * All files of a database, as they are at this instant: what is left when its process is killed now. By another process,
 * since SQLite's locks are lost if its own process closes a file of its database.
 */
function copyAll(path: string, image: string): string {
  execFileSync('cp', ['-r', dirname(path), image]);
  return join(image, basename(path));
}

async function contentsOf(path: string): Promise<string[]> {
  const suffixes = ['', '-wal', '-owner-generation'];
  return Promise.all(suffixes.map((suffix) => readFile(`${path}${suffix}`, 'latin1').catch(() => 'missing')));
}

/** A directory with a database whose process was killed, made once and copied for each loss. */
let killed: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  killed = await temporaryDirectory();
  await mkdir(killed.file('data'));
  await writeAndKill(killed.file('data/gateway.db'));
});

afterAll(() => killed[Symbol.asyncDispose]());

test.each([
  ['the WAL is missing', /gateway\.db-wal is missing/, (path: string) => rm(`${path}-wal`)],
  ['the WAL is empty', /gateway\.db-wal is empty/, (path: string) => truncate(`${path}-wal`)],
  ['the WAL is cut off', /is older than it was/, (path: string) => truncate(`${path}-wal`, 4_096)],
  ['the database is missing', /gateway\.db is missing/, (path: string) => rm(path)],
  ['the database is empty', /gateway\.db is empty/, (path: string) => truncate(path)],
  [
    'both are missing',
    /gateway\.db is missing/,
    (path: string) => Promise.all([rm(path), rm(`${path}-wal`)]),
  ],
  ['another database is in its place', /is another one/, putAnotherInPlace],
])(
  'after kill -9, where %s, nothing starts and nothing is changed, until the owner file is deleted',
  async (_, reason, lose) => {
    await using directory = await temporaryDirectory();
    const path = copyAll(killed.file('data/gateway.db'), directory.file('copy'));
    await lose(path);
    const before = await contentsOf(path);
    const refused = openSqliteStore({ path });
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toThrow(
      /acknowledged are missing.*Put the lost file back, or restore a backup/,
    );
    expect(await contentsOf(path)).toEqual(before);
    await rm(`${path}-owner`);
    await rm(`${path}-wal`, { force: true });
    await using _store = await openSqliteStore({ path });
  },
);

async function putAnotherInPlace(path: string): Promise<void> {
  await using other = await openTestStore();
  await other.store[Symbol.asyncDispose]();
  await rm(`${path}-wal`);
  await copyFile(other.path, path);
}

test('a WAL that began anew after a checkpoint is missed as the first was', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await using child = startChild(path, 'write');
  await untilWritten(child, 30);
  checkpoint(path);
  await untilWritten(child, 3_000);
  await child.kill();
  await rm(`${path}-wal`);
  await expect(openSqliteStore({ path })).rejects.toThrow(/gateway\.db-wal is missing/);
});

async function untilWritten(child: ReturnType<typeof startChild>, lines: number): Promise<void> {
  for (let count = 0; count < lines; ) if ((await child.line())?.startsWith('wrote ')) count += 1;
}

function checkpoint(path: string): void {
  using db = new DatabaseSync(path, { timeout: 5_000 });
  expect(db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
}

test('an older WAL in the place of the last is refused', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await writeAndKill(path);
  await copyFile(`${path}-wal`, `${path}-old`);
  await writeAndKill(path);
  await copyFile(`${path}-old`, `${path}-wal`);
  await expect(openSqliteStore({ path })).rejects.toThrow(/older than it was/);
});

test('a generation that cannot be committed is not recorded, and is once it can be', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  using db = openDatabase(path);
  const generations = createGenerations(db, path);
  generations.follow();
  checkpoint(path);
  const before = await contentsOf(path);
  using intruder = new DatabaseSync(path);
  intruder.exec('BEGIN IMMEDIATE');
  db.exec('PRAGMA busy_timeout = 0');
  expect(() => generations.follow()).toThrow(/locked/);
  expect(await contentsOf(path)).toEqual(before);
  intruder.exec('ROLLBACK');
  generations.follow();
  expect(await contentsOf(path)).not.toEqual(before);
  generations.close();
});

test('a worker that is replaced refuses a database that lost its WAL, too', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await writeAndKill(path);
  await rm(`${path}-wal`);
  expect(() => openDatabase(path)).toThrow(/gateway\.db-wal is missing/);
});

test('after a clean stop it starts, and the record is gone', async () => {
  await using t = await openTestStore();
  await t.store.record([accepted('m1')]);
  expect(await exists(`${t.path}-owner-generation`)).toBe(true);
  await t.store[Symbol.asyncDispose]();
  expect(await exists(`${t.path}-owner-generation`)).toBe(false);
  await t.reopen();
  expect(await t.store.find(key('m1'))).toEqual(accepted('m1'));
});

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

test('a database that is gone after a clean stop is made anew, and the operator is told', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const told: string[] = [];
  const tell = (_: object, sentence: string) => told.push(sentence);
  const log = { info: tell, warn: tell, error: tell };
  for (const expected of [0, 0, 1]) {
    if (expected > 0) await rm(path);
    await using _store = await openSqliteStore({ path, log });
    expect(told).toHaveLength(expected);
  }
  expect(told[0]).toMatch(/was missing or empty, and a new one was made/);
});

test('after kill -9 it starts with a WAL of 0 bytes, which a checkpoint left', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await using child = startChild(path, 'hold');
  await child.line();
  checkpoint(path);
  await child.kill();
  expect((await stat(`${path}-wal`)).size).toBe(0);
  await using _store = await openSqliteStore({ path });
});

test('after kill -9 it starts without a WAL, where another program has opened and closed the database since', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  const ids = await writeAndKill(path);
  checkpoint(path);
  expect(await exists(`${path}-wal`)).toBe(false);
  await using store = await openSqliteStore({ path });
  for (const id of ids) expect(await store.find(key(id))).toEqual(accepted(id));
});

test('a restored backup starts, since restoring removes the owner file', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await using child = startChild(path, 'write');
  await untilWritten(child, 30);
  using db = new DatabaseSync(path);
  db.exec(`VACUUM INTO '${directory.file('backup.db')}'`);
  db.close();
  checkpoint(path);
  await untilWritten(child, 3_000);
  await child.kill();
  for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`);
  await copyFile(directory.file('backup.db'), path);
  await expect(openSqliteStore({ path })).rejects.toThrow(/delete .*gateway\.db-owner/);
  await rm(`${path}-owner`);
  await using _store = await openSqliteStore({ path });
});

test('a record that cannot be read says nothing', async () => {
  await using t = await openTestStore();
  await t.store[Symbol.asyncDispose]();
  for (const text of ['', '{', '[]', '{"database":1}']) {
    await writeFile(`${t.path}-owner-generation`, text);
    await using _store = await openSqliteStore({ path: t.path });
  }
});

test('a process that is killed at any step of a first start, of a write or of a stop starts again', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('data/gateway.db');
  await mkdir(dirname(path));
  let images = 0;

  async function startsFromHere(): Promise<void> {
    images += 1;
    await using _store = await openSqliteStore({ path: copyAll(path, directory.file(`image-${images}`)) });
  }

  const owner = claimDatabase(path);
  await startsFromHere();
  const db = openDatabase(path);
  await startsFromHere();
  const generations = createGenerations(db, path);
  generations.follow();
  await startsFromHere();
  db.exec('UPDATE probe SET writes = writes + 1; PRAGMA wal_checkpoint(TRUNCATE)');
  await startsFromHere();
  db.exec('UPDATE probe SET writes = writes + 1');
  await startsFromHere();
  db.exec('UPDATE generation SET number = number + 1');
  await startsFromHere();
  generations.follow();
  await startsFromHere();
  db.close();
  await startsFromHere();
  generations.close();
  await startsFromHere();
  owner[Symbol.dispose]();
  await startsFromHere();
});

test.runIf(existsSync('/proc/self/stat'))(
  'a process that is killed at any moment of a first start starts again',
  async () => {
    await using directory = await temporaryDirectory();
    const path = directory.file('data/gateway.db');
    await using child = startChild(path, 'hold');
    let isOpen = false;
    const opened = child.line().finally(() => {
      isOpen = true;
    });
    const images = new Map<string, string>();
    while (!isOpen) {
      await nextTurn();
      if (!existsSync(`${path}-owner`)) continue;
      await freeze(child.pid);
      const image = directory.file(`image-${images.size}`);
      await rm(image, { recursive: true, force: true });
      await cp(dirname(path), image, { recursive: true, force: true });
      images.set((await contentsOf(join(image, basename(path)))).join(), image);
      process.kill(Number(child.pid), 'SIGCONT');
    }
    expect(await opened).toBe('open');
    expect(images.size).toBeGreaterThan(1);
    for (const image of images.values()) {
      await using _store = await openSqliteStore({ path: join(image, basename(path)) });
    }
  },
);

/** What a process has done to its files by now is what would be left of it if it were killed. */
async function freeze(pid: number | undefined): Promise<void> {
  process.kill(Number(pid), 'SIGSTOP');
  while (!/\) T /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) await nextTurn();
}

const stepsOfADatabase = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('write' as const) },
    fc.constantFrom('truncate' as const, 'passive' as const, 'reopen' as const),
  ),
  { maxLength: 12 },
);

test('of any history, a database with its WAL starts, and one without it only where it has all that was acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(stepsOfADatabase, async (steps) => {
      await using directory = await temporaryDirectory();
      const path = directory.file('data/gateway.db');
      await mkdir(dirname(path));
      const { writes, image } = writeHistory(path, steps, directory.file('image'));
      checkGeneration(image);
      await rm(`${image}-wal`);
      if (writesIn(image) < writes) expect(() => checkGeneration(image)).toThrow(/-wal is missing/);
    }),
    { numRuns: 20 },
  );
});

type Step = 'write' | 'truncate' | 'passive' | 'reopen';

/** @returns how many writes were acknowledged, and what is left when it is killed after the last step. */
function writeHistory(path: string, steps: readonly Step[], directory: string) {
  let db = openDatabase(path);
  let generations = createGenerations(db, path);
  generations.follow();
  let writes = 0;
  const actions: Readonly<Record<Step, () => void>> = {
    write: () => {
      db.exec('UPDATE probe SET writes = writes + 1');
      generations.follow();
    },
    truncate: () => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
    passive: () => db.exec('PRAGMA wal_checkpoint(PASSIVE)'),
    reopen: () => {
      db.close();
      generations.close();
      db = openDatabase(path);
      generations = createGenerations(db, path);
      generations.follow();
    },
  };
  for (const step of steps) {
    actions[step]();
    writes = Number(db.prepare('SELECT writes FROM probe').get()?.['writes']);
  }
  const image = copyAll(path, directory);
  db.close();
  generations.close();
  return { writes, image };
}

/** In the database alone. */
function writesIn(image: string): number {
  using db = new DatabaseSync(new URL(`file://${image}?immutable=1`), { readOnly: true });
  if (!db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'probe'`).get()) return -1;
  return Number(db.prepare('SELECT writes FROM probe').get()?.['writes']);
}
