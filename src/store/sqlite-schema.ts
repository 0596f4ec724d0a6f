import { DatabaseSync } from 'node:sqlite';
import { damaged, Refusal } from './sqlite-refusal.ts';

/** How long a call waits for a lock that another program holds on the file. */
const lockPatienceMs = 1_000;

/** `PRAGMA user_version` of a file with this schema. Versions 1 to 3 were never released. */
const schemaVersion = 4;

const schema = `
  -- What is counted for each business, so that no write has to count rows: the last numbers that were given, which are
  -- never given again, and, kept right by the triggers below, what is there at present.
  CREATE TABLE businesses (
    business TEXT PRIMARY KEY,
    last_message INTEGER NOT NULL DEFAULT 0,
    last_send INTEGER NOT NULL DEFAULT 0,
    last_quarantined INTEGER NOT NULL DEFAULT 0,
    callback_only_messages INTEGER NOT NULL DEFAULT 0,
    quarantine_entries INTEGER NOT NULL DEFAULT 0,
    quarantine_bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;

  -- All that is known of a message in one row. number counts the messages of a business as they were first heard of;
  -- seq, by which retention walks, never leaves the file. details is null while only callbacks have told of it, and then
  -- so are client and phone, which are taken from it. send is the number of the send that it came of.
  -- history is a JSON array of [status, at, receivedAt, rawStatus, failure].
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    business TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    client TEXT,
    phone TEXT,
    send INTEGER,
    status TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    details TEXT,
    history TEXT NOT NULL,
    UNIQUE (business, id)
  ) STRICT;
  -- Retention walks along seq, so no index holds an instant that every write moves.
  CREATE INDEX messages_by_status ON messages (business, status, number);
  CREATE INDEX messages_by_client ON messages (business, client, status, number) WHERE client IS NOT NULL;
  CREATE INDEX messages_by_phone ON messages (business, phone) WHERE phone IS NOT NULL;
  CREATE INDEX messages_from_callbacks ON messages (business, created_at) WHERE details IS NULL;
  CREATE TRIGGER callback_only_added AFTER INSERT ON messages WHEN new.details IS NULL BEGIN
    UPDATE businesses SET callback_only_messages = callback_only_messages + 1 WHERE business = new.business;
  END;
  CREATE TRIGGER callback_only_explained AFTER UPDATE OF details ON messages
  WHEN old.details IS NULL AND new.details IS NOT NULL BEGIN
    UPDATE businesses SET callback_only_messages = callback_only_messages - 1 WHERE business = new.business;
  END;
  CREATE TRIGGER callback_only_deleted AFTER DELETE ON messages WHEN old.details IS NULL BEGIN
    UPDATE businesses SET callback_only_messages = callback_only_messages - 1 WHERE business = old.business;
  END;

  -- number counts the sends of a business. outcome is a SendOutcome, and error_code says why it is none of PENDING and
  -- ACCEPTED. idempotency_key and fingerprint are null if there is no key, and if the key was given back. client and
  -- phone are those of input.
  CREATE TABLE sends (
    seq INTEGER PRIMARY KEY,
    business TEXT NOT NULL,
    number INTEGER NOT NULL,
    idempotency_key TEXT,
    fingerprint TEXT,
    client TEXT,
    phone TEXT,
    input TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error_code TEXT,
    message_id TEXT,
    settled_at INTEGER,
    UNIQUE (business, number)
  ) STRICT;
  CREATE UNIQUE INDEX sends_by_key ON sends (business, idempotency_key) WHERE idempotency_key IS NOT NULL;
  -- The business comes second: sends that are PENDING are looked for over all of them.
  CREATE INDEX sends_by_outcome ON sends (outcome, business, number);
  CREATE INDEX sends_by_client ON sends (business, client) WHERE client IS NOT NULL;
  CREATE INDEX sends_by_phone ON sends (business, phone) WHERE phone IS NOT NULL;

  -- number counts what came into the quarantine of a business. body is what was not understood, compressed by
  -- Zstandard; it is the last column, so that a list does not read it. characters is the length of the body before that,
  -- and bytes what the entry counts for.
  CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY,
    business TEXT NOT NULL,
    number INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    characters INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    first_received_at INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (business, sha256),
    UNIQUE (business, number)
  ) STRICT;
  CREATE TRIGGER quarantine_added AFTER INSERT ON quarantine BEGIN
    UPDATE businesses SET quarantine_entries = quarantine_entries + 1, quarantine_bytes = quarantine_bytes + new.bytes
    WHERE business = new.business;
  END;
  CREATE TRIGGER quarantine_changed AFTER UPDATE OF bytes ON quarantine BEGIN
    UPDATE businesses SET quarantine_bytes = quarantine_bytes - old.bytes + new.bytes WHERE business = new.business;
  END;
  CREATE TRIGGER quarantine_deleted AFTER DELETE ON quarantine BEGIN
    UPDATE businesses SET quarantine_entries = quarantine_entries - 1, quarantine_bytes = quarantine_bytes - old.bytes
    WHERE business = old.business;
  END;

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
    PRAGMA secure_delete = ON;
  `);
}
