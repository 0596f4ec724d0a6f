/** `PRAGMA user_version` of a file with this schema. Versions 1 to 3 were never released. */
export const schemaVersion = 4;

export const schema = `
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
  -- seq, by which retention walks, never leaves the file. details is null while it is known only from callbacks, and then
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

  -- One row: which database this is, and how often its WAL began anew (sqlite-generation.ts).
  CREATE TABLE generation (database TEXT NOT NULL, number INTEGER NOT NULL) STRICT;
  INSERT INTO generation VALUES (lower(hex(randomblob(16))), 0);

  -- One row: about when the store was last written, and until when nothing expires (clock-wait.ts).
  CREATE TABLE clock (last_write INTEGER, waits_until INTEGER) STRICT;
  INSERT INTO clock VALUES (NULL, NULL);
`;
