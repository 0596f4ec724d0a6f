import { DatabaseSync } from 'node:sqlite';
import { damaged, Refusal } from './sqlite-refusal.ts';

/** How long a call waits for a lock that another program holds on the file. */
const lockPatienceMs = 1_000;

/** In SQL: the business of the latest send that names one, or else the one that the file is opened for. */
const onlyBusiness = `coalesce(
  (SELECT business FROM sends WHERE business IS NOT NULL ORDER BY seq DESC LIMIT 1), former_business())`;

/**
 * Each brings the schema from the version of its index to the next; `PRAGMA user_version` says where a file stands.
 * A released migration is never edited: a change of the schema is a new one.
 */
const migrations: readonly string[] = [
  `
  -- All that is known of a message in one row; seq numbers them as they were first heard of.
  -- history is a JSON array of [status, at, receivedAt, rawStatus, failure].
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    client TEXT,
    status TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    details TEXT,
    history TEXT NOT NULL
  ) STRICT;
  -- Every index ends in seq, as SQLite's do by themselves.
  CREATE INDEX messages_by_status ON messages (status);
  CREATE INDEX messages_by_client ON messages (client, status) WHERE client IS NOT NULL;
  CREATE INDEX messages_by_update ON messages (updated_at);

  -- What was to leave the house. outcome is ACCEPTED or the code of an error, and null while it is open.
  CREATE TABLE sends (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    input TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    outcome TEXT,
    message_id TEXT,
    settled_at INTEGER
  ) STRICT;
  CREATE INDEX sends_by_begin ON sends (begun_at);

  CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY,
    raw_sha256 BLOB NOT NULL UNIQUE,
    raw TEXT NOT NULL,
    reason TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    first_received_at INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX quarantine_by_receipt ON quarantine (last_received_at);

  -- One row, which a health check writes.
  CREATE TABLE probe (writes INTEGER NOT NULL) STRICT;
  INSERT INTO probe VALUES (0);
  `,
  `
  -- A send's outcome is a SendOutcome from now on, and error_code says why it is none of PENDING and ACCEPTED.
  -- business is null in rows that are older than this; idempotency_key and fingerprint are null where there is no key,
  -- and where the key was given back.
  ALTER TABLE sends ADD COLUMN business TEXT;
  ALTER TABLE sends ADD COLUMN idempotency_key TEXT;
  ALTER TABLE sends ADD COLUMN fingerprint TEXT;
  ALTER TABLE sends ADD COLUMN error_code TEXT;
  UPDATE sends SET
    error_code = nullif(outcome, 'ACCEPTED'),
    outcome = CASE
      WHEN outcome IS NULL THEN 'PENDING'
      WHEN outcome = 'ACCEPTED' THEN 'ACCEPTED'
      WHEN outcome = 'PINGUP_REJECTED' THEN 'REJECTED'
      WHEN outcome IN ('PINGUP_UNAVAILABLE', 'PINGUP_RATE_LIMITED') THEN 'NOT_SENT'
      ELSE 'UNKNOWN'
    END;
  CREATE UNIQUE INDEX sends_by_key ON sends (business, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX sends_by_outcome ON sends (outcome);

  -- When the store first heard of a message; null in rows that are older than this.
  ALTER TABLE messages ADD COLUMN created_at INTEGER;
  -- Retention walks along seq instead of indexes that every write moves.
  DROP INDEX messages_by_update;
  DROP INDEX sends_by_begin;
  DROP INDEX quarantine_by_receipt;
  `,
  `
  -- Everything belongs to a business from now on. Before, a file served one account only, so what is in it is that one's.
  UPDATE sends SET business = ${onlyBusiness} WHERE business IS NULL;
  -- With a business in the middle: sends that are PENDING are looked for over all of them.
  DROP INDEX sends_by_outcome;
  CREATE INDEX sends_by_outcome ON sends (outcome, business);

  CREATE TABLE messages_by_business (
    seq INTEGER PRIMARY KEY,
    business TEXT NOT NULL,
    id TEXT NOT NULL,
    client TEXT,
    status TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    details TEXT,
    history TEXT NOT NULL,
    created_at INTEGER,
    UNIQUE (business, id)
  ) STRICT;
  INSERT INTO messages_by_business
    SELECT seq, ${onlyBusiness}, id, client, status, updated_at, details, history, created_at FROM messages;
  DROP TABLE messages;
  ALTER TABLE messages_by_business RENAME TO messages;
  CREATE INDEX messages_by_status ON messages (business, status);
  CREATE INDEX messages_by_client ON messages (business, client, status) WHERE client IS NOT NULL;

  CREATE TABLE quarantine_by_business (
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
  INSERT INTO quarantine_by_business
    SELECT seq, ${onlyBusiness}, raw_sha256, raw, reason, times, first_received_at, last_received_at FROM quarantine;
  DROP TABLE quarantine;
  ALTER TABLE quarantine_by_business RENAME TO quarantine;
  CREATE INDEX quarantine_by_place ON quarantine (business);
  `,
];

/**
 * Opens a database, new or old, and brings its schema up to date.
 *
 * @param formerBusiness whose a file is that is so old that it does not say; null: such a file is refused.
 * @throws Refusal, or an error of node:sqlite; `refusalOf` makes either of them readable.
 */
export function openDatabase(path: string, formerBusiness: string | null): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: lockPatienceMs });
  try {
    // Before anything is written: the file may be another program's.
    const version = versionOf(db, path);
    checkIntegrity(db, path);
    if (version > 0 && version < firstOfBusinesses && formerBusiness === null) throw ofNobody(path);
    configure(db);
    db.function('former_business', () => formerBusiness);
    for (const [index, migration] of migrations.entries())
      if (index >= version) migrate(db, index, migration);
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
  if (version > migrations.length) {
    throw new Refusal(
      `The database ${path} has schema version ${version}, and this gateway knows versions up to ${migrations.length}. Start the newer gateway that wrote it, or restore a backup made before the upgrade.`,
    );
  }
  if (version === 0 && db.prepare('SELECT 1 FROM sqlite_schema').get()) {
    throw new Refusal(
      `The database ${path} belongs to another program. Set STORE_URL to a path of the gateway's own.`,
    );
  }
  return version;
}

/** The version from which on each row says whose it is. */
const firstOfBusinesses = 3;

function ofNobody(path: string): Refusal {
  return new Refusal(
    `The database ${path} was made for one business, and does not say which. Start once with PINGUP_BUSINESS_NAME and PINGUP_API_KEY of that business, or with it alone in PINGUP_ACCOUNTS_FILE.`,
  );
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

function migrate(db: DatabaseSync, version: number, sql: string): void {
  db.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${version + 1}; COMMIT`);
}
