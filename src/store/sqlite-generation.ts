import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import {
  type Generation,
  openRecord,
  readRecord,
  recordFileOf,
  removeRecord,
} from './sqlite-generation-record.ts';
import { ownerFileOf } from './sqlite-owner.ts';
import { Refusal } from './sqlite-refusal.ts';

/**
 * Notices that a file was lost which held acknowledged writes. Each time the WAL begins anew, the first thing after
 * it is a transaction that numbers a new generation, and the number is recorded in a file beside the database before
 * any write in that WAL is acknowledged. A database that is behind the record has lost its WAL, or is another one.
 * Between two restarts of the WAL, about every 32 MB, this costs a read of 8 bytes for each batch.
 */
export interface Generations {
  /** To be called after each commit, before it is acknowledged. If it throws, nothing of it may be. */
  follow(): void;
  /** To be called after the database was closed: if its WAL is gone, nothing can be lost with it. */
  close(): void;
}

export function createGenerations(db: DatabaseSync, path: string): Generations {
  const advance = db.prepare('UPDATE generation SET number = number + 1');
  const read = db.prepare('SELECT database, number FROM generation');
  const wal = openSync(walFileOf(path), 'r');
  const record = openRecord(path);
  let followed: string | undefined;

  return {
    follow: () => {
      if (saltsOf(wal) === followed) return;
      // It throws if it cannot commit: the record never runs ahead of the database.
      advance.run();
      const { database, number } = read.get() ?? {};
      const salts = saltsOf(wal);
      record.write({ database: String(database), number: Number(number) });
      followed = salts;
    },
    close: () => {
      closeSync(wal);
      record.close();
      if (!sizeOf(walFileOf(path))) removeRecord(path);
    },
  };
}

/**
 * To be called before the database is opened, since that may make an empty one, or delete a WAL.
 *
 * @throws Refusal when acknowledged writes are missing. Nothing is changed then.
 */
export function checkGeneration(path: string): void {
  const recorded = readRecord(path);
  if (!recorded) return;
  const found = generationOf(path);
  if (found?.database === recorded.database && found.number >= recorded.number) return;
  throw new Refusal(
    `${describeLoss(path, recorded, found)} Writes that were acknowledged are missing, so the gateway does not start. Put the lost file back, or restore a backup: remove ${path}-wal and ${path}-shm, put the backup at ${path}, and delete ${ownerFileOf(path)}. To go on without the lost writes, delete ${ownerFileOf(path)} only.`,
  );
}

function describeLoss(path: string, recorded: Generation, found: Generation | undefined): string {
  const size = sizeOf(path);
  if (size === undefined) return `The database ${path} is missing.`;
  if (size === 0) return `The database ${path} is empty.`;
  if (found && found.database !== recorded.database)
    return `The database ${path} is another one than ${recordFileOf(path)} speaks of.`;
  const walSize = sizeOf(walFileOf(path));
  if (walSize === undefined) return `The file ${walFileOf(path)} is missing.`;
  if (walSize === 0) return `The file ${walFileOf(path)} is empty.`;
  return `The database ${path} or its file ${walFileOf(path)} is older than it was.`;
}

/** Undefined if there is no database, or none of ours. */
function generationOf(path: string): Generation | undefined {
  if (!sizeOf(path)) return undefined;
  const url = pathToFileURL(path);
  // Without it, SQLite would make the files that are missing.
  if (!sizeOf(walFileOf(path))) url.searchParams.set('immutable', '1');
  using db = new DatabaseSync(url, { readOnly: true, timeout: 1_000 });
  if (!db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'generation'`).get()) return undefined;
  const row = db.prepare('SELECT database, number FROM generation').get();
  return row && { database: String(row['database']), number: Number(row['number']) };
}

/** The random numbers in the WAL's header (https://sqlite.org/fileformat.html#walformat): others in each new WAL. */
function saltsOf(wal: number): string {
  const salts = Buffer.alloc(8);
  readSync(wal, salts, 0, 8, 16);
  return salts.toString('latin1');
}

export function walFileOf(path: string): string {
  return `${path}-wal`;
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}
