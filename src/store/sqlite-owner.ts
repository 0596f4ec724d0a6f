import { DatabaseSync } from 'node:sqlite';
import { refusalOf } from './sqlite-refusal.ts';

/**
 * Makes this process the only one that serves a database, and this the only store of the process that does.
 * The lock is SQLite's own, on a file beside the database: the operating system frees it however the process
 * ends, and the database itself stays readable, for backups with the `sqlite3` program.
 *
 * @throws Refusal when another has it, or the file cannot be written.
 */
export function claimDatabase(path: string): Disposable {
  const owner = new DatabaseSync(ownerFileOf(path), { timeout: 0, open: false });
  try {
    owner.open();
    owner.exec('BEGIN EXCLUSIVE');
    return owner;
  } catch (error) {
    if (owner.isOpen) owner.close();
    throw refusalOf(path, error);
  }
}

/** The file that is locked for as long as a database is served. */
export function ownerFileOf(path: string): string {
  return `${path}-owner`;
}
