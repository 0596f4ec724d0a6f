import { DatabaseSync } from 'node:sqlite';
import { damaged, Refusal } from './sqlite-refusal.ts';

/** How long a call waits for a lock that another program holds on the file. */
const lockPatienceMs = 1_000;

/** `PRAGMA user_version` of a file with this schema. Versions 1 to 3 were never released. */
const schemaVersion = 4;

const schema = `
  -- All that is known of a message in one row; seq numbers them as they were first heard of.
  -- history is a JSON array of [status, at, receivedAt, rawStatus, failure].
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    business TEXT NOT NULL,
    id TEXT NOT NULL,
    client TEXT,
    status TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    details TEXT,
    history TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (business, id)
  ) STRICT;
  -- Every index ends in seq, as SQLite's do by themselves. Retention walks along seq, so no index holds an instant that
  -- every write moves.
  CREATE INDEX messages_by_status ON messages (business, status);
  CREATE INDEX messages_by_client ON messages (business, client, status) WHERE client IS NOT NULL;

  -- outcome is a SendOutcome, and error_code says why it is none of PENDING and ACCEPTED. idempotency_key and fingerprint
  -- are null if there is no key, and if the key was given back.
  CREATE TABLE sends (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    business TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint TEXT,
    input TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error_code TEXT,
    message_id TEXT,
    settled_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX sends_by_key ON sends (business, idempotency_key) WHERE idempotency_key IS NOT NULL;
  -- The business comes second: sends that are PENDING are looked for over all of them.
  CREATE INDEX sends_by_outcome ON sends (outcome, business);

  CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    business TEXT NOT NULL,
    raw_sha256 BLOB NOT NULL,
    raw TEXT NOT NULL,
    reason TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    first_received_at INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL,
    UNIQUE (business, raw_sha256)
  ) STRICT;
  CREATE INDEX quarantine_by_place ON quarantine (business);

  -- One row, which a health check writes.
  CREATE TABLE probe (writes INTEGER NOT NULL) STRICT;
  INSERT INTO probe VALUES (0);
`;

/**
 * Opens a database, and makes its schema if it is new.
 *
 * @throws Refusal, or an error of node:sqlite; `refusalOf` makes either of them readable.
 */
export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: lockPatienceMs });
  try {
    // Before anything is written: the file may be another program's.
    const version = versionOf(db, path);
    checkIntegrity(db, path);
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
      `The database ${path} has schema version ${version}, which was never released. Move it away, together with its -wal and -shm files, to begin with an empty one.`,
    );
  }
  if (version === 0 && db.prepare('SELECT 1 FROM sqlite_schema').get()) {
    throw new Refusal(
      `The database ${path} belongs to another program. Set STORE_URL to a path of the gateway's own.`,
    );
  }
  return version;
}

function checkIntegrity(db: DatabaseSync, path: string): void {
  const problem = String(db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']);
  if (problem !== 'ok') throw damaged(path, problem);
}

/**
 * A commit is on the disk when it returns (`synchronous`, and `fullfsync` for macOS, whose fsync promises less).
 * A later checkpoint than the default (32 MB of log, not 4) writes a page that changes often once for many commits,
 * and a larger cache (32 MB, not 2) spares the reads of messages that callbacks speak of in random order.
 */
function configure(db: DatabaseSync): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA cache_size = -32768;
    PRAGMA journal_size_limit = 67108864;
  `);
}
