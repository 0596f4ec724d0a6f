import { statSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { CopiedRow, CopyOrder, CopySource, CopyTarget } from './copy.ts';
import { locate } from './sqlite.ts';
import { checkGeneration } from './sqlite-generation.ts';
import { detailValues, messageOf, statusValues } from './sqlite-messages.ts';
import { openDatabase } from './sqlite-opening.ts';
import { claimDatabase } from './sqlite-owner.ts';
import { Refusal, refusalOf } from './sqlite-refusal.ts';
import { schemaVersion } from './sqlite-schema.ts';
import { sendOf } from './sqlite-sends.ts';

/**
 * A database file to copy from, which no gateway may have open. Nothing is written to it.
 *
 * @throws Refusal, for the operator.
 */
export async function openSqliteSource(path: string): Promise<CopySource & Disposable> {
  if (!statSync(path, { throwIfNoEntry: false })) throw new Refusal(`There is no file ${path}.`);
  return open(await locate(path), openReadOnly, (db) => ({ read: createReaders(db) }));
}

/**
 * A database file to copy to, which is made if there is none.
 *
 * @throws Refusal, for the operator.
 */
export async function openSqliteTarget(path: string): Promise<CopyTarget & Disposable> {
  return open(await locate(path), openDatabase, (db) => ({
    // Retention walks along the order of the writing, and ends where nothing is old.
    order: 'created',
    read: createReaders(db),
    write: createWriters(db),
    commit: async () => db.exec('COMMIT'),
  }));
}

/** In one transaction, which the end of the database undoes. */
function open<T extends object>(
  path: string,
  openFile: (path: string) => DatabaseSync,
  create: (db: DatabaseSync) => T,
): T & Disposable {
  using opening = new DisposableStack();
  try {
    opening.use(claimDatabase(path));
    const db = opening.adopt(openFile(path), (each) => each.close());
    db.exec('BEGIN');
    const opened = create(db);
    const all = opening.move();
    return { ...opened, [Symbol.dispose]: () => all.dispose() };
  } catch (error) {
    throw refusalOf(path, error);
  }
}

function openReadOnly(path: string): DatabaseSync {
  checkGeneration(path);
  const db = new DatabaseSync(path, { readOnly: true });
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version === schemaVersion) return db;
  db.close();
  throw new Refusal(
    `The database ${path} has schema version ${version}, and this release copies version ${schemaVersion}.`,
  );
}

type Row = Record<string, SQLOutputValue>;

const batchRows = 500;
/** Bodies are big. */
const batchBodies = 20;

function createReaders(db: DatabaseSync): CopySource['read'] {
  async function* read<T>(sql: string, rowsAtOnce: number, parse: (row: Row) => T) {
    let batch: T[] = [];
    for (const row of db.prepare(sql).iterate()) {
      batch.push(parse(row));
      if (batch.length < rowsAtOnce) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  return {
    businesses: () =>
      read(
        'SELECT business, last_message, last_send, last_quarantined FROM businesses',
        batchRows,
        businessOf,
      ),
    messages: (order) => read(`SELECT * FROM messages ORDER BY ${order}_at`, batchRows, copiedMessageOf),
    sends: () => read('SELECT * FROM sends ORDER BY begun_at', batchRows, copiedSendOf),
    quarantine: (order) =>
      read(`SELECT * FROM quarantine ORDER BY ${receivedAt[order]}`, batchBodies, copiedCallbackOf),
  };
}

const receivedAt: Readonly<Record<CopyOrder, string>> = {
  created: 'first_received_at',
  updated: 'last_received_at',
};

function businessOf(row: Row): CopiedRow['businesses'] {
  return {
    business: String(row['business']),
    lastMessage: Number(row['last_message']),
    lastSend: Number(row['last_send']),
    lastQuarantined: Number(row['last_quarantined']),
  };
}

function copiedMessageOf(row: Row): CopiedRow['messages'] {
  return {
    number: Number(row['number']),
    createdAt: Number(row['created_at']),
    send: row['send'] === null ? null : Number(row['send']),
    message: messageOf(row),
  };
}

function copiedSendOf(row: Row): CopiedRow['sends'] {
  return {
    send: sendOf(row),
    idempotencyKey: row['idempotency_key'] as string | null,
    fingerprint: row['fingerprint'] as string | null,
  };
}

function copiedCallbackOf(row: Row): CopiedRow['quarantine'] {
  return {
    business: String(row['business']),
    number: Number(row['number']),
    sha256: row['sha256'] as Uint8Array,
    characters: Number(row['characters']),
    bytes: Number(row['bytes']),
    times: Number(row['times']),
    firstReceivedAt: Number(row['first_received_at']),
    lastReceivedAt: Number(row['last_received_at']),
    reason: String(row['reason']),
    body: row['body'] as Uint8Array,
  };
}

/** The counters of the limits are the triggers' (sqlite-schema.ts). */
function createWriters(db: DatabaseSync): CopyTarget['write'] {
  const business = db.prepare(
    'INSERT INTO businesses (business, last_message, last_send, last_quarantined) VALUES (?, ?, ?, ?)',
  );
  const message = db.prepare(
    `INSERT INTO messages
       (business, number, id, created_at, send, status, updated_at, history, client, phone, details)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const send = db.prepare(
    `INSERT INTO sends
       (business, number, idempotency_key, fingerprint, client, phone, input, begun_at, settled_at, outcome, error_code, message_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const callback = db.prepare(
    `INSERT INTO quarantine
       (business, number, sha256, characters, bytes, times, first_received_at, last_received_at, reason, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const each =
    <T>(write: (row: T) => void) =>
    async (rows: readonly T[]) => {
      for (const row of rows) write(row);
    };

  return {
    businesses: each((row) => business.run(row.business, row.lastMessage, row.lastSend, row.lastQuarantined)),
    messages: each(({ message: known, number, createdAt, send: from }) =>
      message.run(
        ...[known.business, number, known.id, createdAt, from],
        ...statusValues(known),
        ...detailValues(known),
      ),
    ),
    sends: each(({ send: { text, ...row }, idempotencyKey, fingerprint }) =>
      send.run(
        ...[row.business, Number(row.id), idempotencyKey, fingerprint, text.client, text.clientPhone],
        ...[JSON.stringify(text), row.begunAt, row.settledAt, row.outcome, row.errorCode, row.messageId],
      ),
    ),
    quarantine: each((row) =>
      callback.run(
        ...[row.business, row.number, row.sha256, row.characters, row.bytes, row.times],
        ...[row.firstReceivedAt, row.lastReceivedAt, row.reason, row.body],
      ),
    ),
  };
}
