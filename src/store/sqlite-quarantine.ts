import { hash } from 'node:crypto';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { StoreLimits } from '../store-limits.ts';
import type { EvictedCallback, KeptCallback, QuarantinedCallback, QuarantineEntry } from './port.ts';
import type { BusinessTable } from './sqlite-businesses.ts';
import type { PageOfRows } from './sqlite-protocol.ts';

/** The table of what was not understood. Whoever calls sees to the transaction. */
export interface QuarantineTable {
  /** A body that is there already is counted once more. Returns what had to go to make room for it. */
  keep(callback: QuarantinedCallback): EvictedCallback[];
  find(business: string, id: string): KeptCallback | undefined;
  /** Returns how many of them were there. */
  remove(business: string, ids: readonly string[]): number;
  /** Newest first, without the bodies. */
  list(page: PageOfRows): QuarantineEntry[];
}

/** What an entry counts for besides its body and reason: about what its numbers, its hash and its indexes take. */
const entryBytes = 200;
/** Far more than a callback may have (256 KiB): what unpacks to more than this was not packed here. */
const maxUnpackedBytes = 1_048_576;
/** Enough for the largest body to replace the smallest entries; a limit that was lowered is reached step by step. */
const maxEvicted = 2_000;
/** The fastest level: at most 1 ms for a body, on the thread that everybody's writes wait for. */
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const summary = 'business, number, characters, bytes, times, first_received_at, last_received_at, reason';
const page = `SELECT ${summary} FROM quarantine WHERE business = ?`;

export const pageStatements = {
  newest: `${page} AND number < ? ORDER BY number DESC LIMIT ?`,
  oldest: `${page} AND number <> ? ORDER BY number LIMIT ${maxEvicted}`,
};

export function quarantineTable(
  db: DatabaseSync,
  businesses: BusinessTable,
  { quarantineBytes, quarantineEntries }: StoreLimits,
): QuarantineTable {
  // By the hash, so that the index stays small whatever the size of the bodies.
  const repeat = db.prepare(
    `UPDATE quarantine SET
       bytes = bytes - octet_length(reason) + octet_length(?1),
       reason = ?1,
       times = times + 1,
       first_received_at = min(first_received_at, ?2),
       last_received_at = max(last_received_at, ?2)
     WHERE business = ?3 AND sha256 = ?4 RETURNING number`,
  );
  const insert = db.prepare(
    `INSERT INTO quarantine
       (business, number, sha256, characters, bytes, first_received_at, last_received_at, reason, body)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)`,
  );
  const byNumber = db.prepare(`SELECT ${summary}, body FROM quarantine WHERE business = ? AND number = ?`);
  const remove = db.prepare('DELETE FROM quarantine WHERE business = ? AND number = ?');
  const newest = db.prepare(pageStatements.newest);
  const oldest = db.prepare(pageStatements.oldest);

  function keep(callback: QuarantinedCallback): EvictedCallback[] {
    const { business, raw, reason, receivedAt } = callback;
    const sha256 = hash('sha256', raw, 'buffer');
    const known = repeat.get(reason, receivedAt, business, sha256);
    return makeRoom(business, known ? Number(known['number']) : add(callback, sha256));
  }

  function add({ business, raw, reason, receivedAt }: QuarantinedCallback, sha256: Buffer): number {
    const number = businesses.nextNumber('quarantined', business);
    const body = zstdCompressSync(raw, compression);
    const bytes = body.byteLength + Buffer.byteLength(reason) + entryBytes;
    insert.run(business, number, sha256, raw.length, bytes, receivedAt, reason, body);
    return number;
  }

  /** Takes the oldest out until the rest is within the limits, but never the one that has just come. */
  function makeRoom(business: string, justCame: number): EvictedCallback[] {
    let { entries, bytes } = businesses.quarantineSize(business);
    const evicted: EvictedCallback[] = [];
    const fits = () => entries <= quarantineEntries && bytes <= quarantineBytes;
    if (fits()) return evicted;
    for (const row of oldest.iterate(business, justCame)) {
      if (fits()) break;
      evicted.push(evictedOf(row));
      entries -= 1;
      bytes -= Number(row['bytes']);
    }
    for (const { id } of evicted) remove.run(business, Number(id));
    return evicted;
  }

  return {
    keep,
    find: (business, id) => {
      const row = byNumber.get(business, numberOf(id));
      return row && { ...entryOf(row), raw: unpack(row['body']) };
    },
    remove: (business, ids) =>
      ids.reduce((removed, id) => removed + Number(remove.run(business, numberOf(id)).changes), 0),
    list: ({ business, limit, before }) =>
      newest.all(business, before ?? Number.MAX_SAFE_INTEGER, limit).map(entryOf),
  };
}

/** @throws RangeError for more than `maxUnpackedBytes`, and Error for what is damaged. */
function unpack(body: SQLOutputValue | undefined): string {
  if (!(body instanceof Uint8Array)) throw new Error('The body of a quarantined callback is not there.');
  return zstdDecompressSync(body, { maxOutputLength: maxUnpackedBytes }).toString();
}

/** A number that no row has for what is no id of ours. */
function numberOf(id: string): number {
  return /^[1-9][0-9]{0,14}$/.test(id) ? Number(id) : -1;
}

type Row = Record<string, SQLOutputValue>;

function entryOf(row: Row): QuarantineEntry {
  return {
    id: String(row['number']),
    business: String(row['business']),
    rawLength: Number(row['characters']),
    reason: String(row['reason']),
    times: Number(row['times']),
    receivedAt: Number(row['first_received_at']),
    lastReceivedAt: Number(row['last_received_at']),
  };
}

function evictedOf(row: Row): EvictedCallback {
  const { id, business, reason, receivedAt } = entryOf(row);
  return { id, business, reason, receivedAt, bytes: Number(row['bytes']) };
}
