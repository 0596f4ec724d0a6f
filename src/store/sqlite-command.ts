/**
 * What an operator does to a database file, `node dist/store/sqlite-command.js <command> <path>`:
 * - `check`: reads all of it and says what is damaged. It may run beside the gateway, but the WAL grows meanwhile: check
 *   a backup of a large database instead.
 * - `vacuum`: rebuilds it without what was deleted, and gives the space back. The gateway must be stopped.
 */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createFileOperations } from './sqlite-file-operations.ts';
import { openDatabase } from './sqlite-opening.ts';
import { claimDatabase } from './sqlite-owner.ts';
import { damaged, Refusal, refusalOf } from './sqlite-refusal.ts';

/** Problems that a check lists at most. */
const maxProblems = 100;

const commands: Readonly<Record<string, (path: string) => string[]>> = { check, vacuum };

/** @returns what is damaged. */
function check(path: string): string[] {
  using db = new DatabaseSync(path, { readOnly: true });
  const found = db.prepare(`PRAGMA integrity_check(${maxProblems})`).all();
  return found.map((row) => String(row['integrity_check'])).filter((problem) => problem !== 'ok');
}

function vacuum(path: string): string[] {
  using _owner = claimDatabase(path);
  using db = openDatabase(path);
  createFileOperations(db).vacuum();
  return [];
}

function main(name = '', file = ''): void {
  const path = resolve(file);
  try {
    const command = commands[name];
    if (!command || file === '') throw new Refusal(`usage: (${Object.keys(commands).join(' | ')}) <path>`);
    if (!statSync(path, { throwIfNoEntry: false })) throw new Refusal(`There is no file ${path}.`);
    // A VACUUM copies all that is kept to a file without a name, which belongs on the same disk.
    process.env['SQLITE_TMPDIR'] ??= dirname(path);
    const problems = command(path);
    if (problems.length > 0) throw damaged(path, problems.join('; '));
    process.stdout.write(`${path}: ok\n`);
  } catch (error) {
    process.stderr.write(`${refusalOf(path, error).message}\n`);
    process.exitCode = 1;
  }
}

main(...process.argv.slice(2));
