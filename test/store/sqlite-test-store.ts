import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteStore, type SqliteOptions } from '../../src/store/sqlite.ts';
import type { TestStore, TestStoreOptions } from './contract/test-store.ts';

type UpkeepTiming = Pick<SqliteOptions, 'checkStartMs'>;

export async function openTestStore(
  options: TestStoreOptions & UpkeepTiming = {},
): Promise<TestStore & { readonly path: string }> {
  const directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  let store = await openSqliteStore({ ...options, path });
  let intruder: DatabaseSync | undefined;
  return {
    path,
    get store() {
      return store;
    },
    reopen: async (others = {}) => {
      await store[Symbol.asyncDispose]();
      store = await openSqliteStore({ ...options, ...others, path });
    },
    breakDown: async () => {
      intruder = new DatabaseSync(path);
      intruder.exec('BEGIN IMMEDIATE');
    },
    repair: async () => intruder?.close(),
    [Symbol.asyncDispose]: async () => {
      if (intruder?.isOpen) intruder.close();
      await store[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** A fresh directory, gone with its scope. */
export async function temporaryDirectory(): Promise<
  AsyncDisposable & { readonly path: string; file(name: string): string; text(name: string): Promise<string> }
> {
  const path = await mkdtemp(join(tmpdir(), 'store-'));
  return {
    path,
    file: (name) => join(path, name),
    // Byte by byte: what is looked for is in it, whatever stands around it.
    text: (name) => readFile(join(path, name), 'latin1'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** What another program reads in the file. */
export function rowsOf(path: string, sql: string): unknown[] {
  using db = new DatabaseSync(path, { readOnly: true });
  return db
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}
