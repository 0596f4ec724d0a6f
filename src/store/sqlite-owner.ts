import { DatabaseSync } from 'node:sqlite';
import { createPrivateFile } from './private-file.ts';
import { removeRecord } from './sqlite-generation-record.ts';
import { refusalOf } from './sqlite-refusal.ts';

export interface Claim extends Disposable {
  /** The owner file is new: no gateway was here before, or its operator accepts what is here. */
  readonly isFirst: boolean;
}

/**
 * Makes this process the only one that serves a database, and this the only store of the process that does.
 * The lock is SQLite's own, on a file beside the database: the operating system frees it however the process
 * ends, and the database itself stays readable, for backups with the `sqlite3` program.
 * A new owner file invalidates the generation record of an earlier one: deleting it accepts the database as it is.
 *
 * @throws Refusal when another has it, or the file cannot be written.
 */
export function claimDatabase(path: string): Claim {
  const owner = new DatabaseSync(ownerFileOf(path), { timeout: 0, open: false });
  try {
    createPrivateFile(ownerFileOf(path));
    owner.open();
    owner.exec('BEGIN EXCLUSIVE');
    const isFirst = isNew(owner);
    if (isFirst) {
      removeRecord(path);
      owner.exec('PRAGMA user_version = 1; COMMIT; BEGIN EXCLUSIVE');
    }
    return { isFirst, [Symbol.dispose]: () => owner.close() };
  } catch (error) {
    if (owner.isOpen) owner.close();
    throw refusalOf(path, error);
  }
}

function isNew(owner: DatabaseSync): boolean {
  return owner.prepare('PRAGMA user_version').get()?.['user_version'] === 0;
}

/** The file that is locked for as long as a database is served. */
export function ownerFileOf(path: string): string {
  return `${path}-owner`;
}
