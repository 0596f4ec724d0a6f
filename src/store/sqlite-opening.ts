import { DatabaseSync } from 'node:sqlite';
import { createPrivateFile } from './private-file.ts';
import { checkGeneration } from './sqlite-generation.ts';
import { Refusal } from './sqlite-refusal.ts';
import { schema, schemaVersion } from './sqlite-schema.ts';

/** How long a call waits for a lock that another program holds on the file. */
const lockPatienceMs = 1_000;

/**
 * Opens a database, and makes its schema if it is new. It reads a few pages, whatever the size of the file: the rest
 * is checked in the background (sqlite-background-check.ts).
 *
 * @throws Refusal, or an error of node:sqlite; `refusalOf` makes either of them readable.
 */
export function openDatabase(path: string): DatabaseSync {
  checkGeneration(path);
  createPrivateFile(path);
  const db = new DatabaseSync(path, { timeout: lockPatienceMs });
  try {
    // Before anything is written: the file may be another program's.
    const version = versionOf(db, path);
    checkEnds(db);
    configure(db);
    if (version === 0) db.exec(`BEGIN IMMEDIATE; ${schema} PRAGMA user_version = ${schemaVersion}; COMMIT`);
    // A file that may only be read shows it at the first write, which is better now than later.
    db.exec('UPDATE probe SET writes = writes + 1');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function versionOf(db: DatabaseSync, path: string): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > schemaVersion) {
    throw new Refusal(
      `The database ${path} has schema version ${version}, and this gateway knows version ${schemaVersion}. Start the newer gateway that wrote it, or restore a backup made before the upgrade.`,
    );
  }
  if (version > 0 && version < schemaVersion) {
    throw new Refusal(
      `The database ${path} has schema version ${version}, which was never released. Move it away, together with its -wal, -shm and -owner files, to begin with an empty one.`,
    );
  }
  if (version === 0 && db.prepare('SELECT 1 FROM sqlite_schema').get()) {
    throw new Refusal(
      `The database ${path} belongs to another program. Set STORE_URL to a path of the gateway's own.`,
    );
  }
  return version;
}

/** Reads the first and the last row of each table: they throw if the pages on the way there are damaged. */
function checkEnds(db: DatabaseSync): void {
  const tables = db.prepare(`SELECT name FROM pragma_table_list WHERE schema = 'main' AND wr = 0`).all();
  for (const { name } of tables)
    for (const order of ['ASC', 'DESC'])
      db.prepare(`SELECT * FROM "${name}" ORDER BY rowid ${order} LIMIT 1`).get();
}

/**
 * A commit is on the disk when it returns (`synchronous`, and `fullfsync` for macOS, whose fsync promises less).
 * What is deleted is overwritten (`secure_delete`).
 * A later checkpoint than the default (32 MB of log, not 4) writes a page that changes often once for many commits,
 * and a larger cache (32 MB, not 2) spares the reads of messages that callbacks speak of in random order.
 */
function configure(db: DatabaseSync): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA cache_size = -32768;
    PRAGMA journal_size_limit = 67108864;
  `);
}
