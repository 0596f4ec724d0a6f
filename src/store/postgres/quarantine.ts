import { hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { StoreLimits } from '../../store-limits.ts';
import type { EvictedCallback, KeptCallback, QuarantinedCallback, QuarantineEntry } from '../port.ts';
import type { Kind } from './batch.ts';
import { inSchema } from './schema-text.ts';
import type { Row, Statement } from './statement.ts';
import { decodeText, encodeKey } from './text.ts';

/** What an entry counts for besides its body and reason: about what its numbers, its hash and its indexes take. */
const entryBytes = 200;
/** Far more than a callback may have (256 KiB): what unpacks to more than this was not packed here. */
const maxUnpackedBytes = 1_048_576;
/** Enough for the largest body to replace the smallest entries; a limit that was lowered is reached step by step. */
const maxEvicted = 2_000;
/** The fastest level: at most 1 ms for a body. */
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Keeps a callback; a body that is there already is counted once more. Answers with what had to go for it. */
export function keepKind(
  schema: string,
  { quarantineBytes, quarantineEntries }: StoreLimits,
): Kind<QuarantinedCallback, readonly EvictedCallback[]> {
  const texts = { keep: inSchema(schema, keepText), evict: inSchema(schema, evictText) };

  function toStatements({ business, raw, reason, receivedAt }: QuarantinedCallback): Statement[] {
    const body = zstdCompressSync(raw, compression);
    const bytes = body.byteLength + entryBytes;
    const whose = encodeKey(business);
    const sha256 = hash('sha256', raw, 'buffer');
    return [
      {
        text: texts.keep,
        name: 'keep',
        values: [whose, sha256, raw.length, bytes, receivedAt, encodeKey(reason), body],
      },
      {
        text: texts.evict,
        name: 'evict',
        values: [whose, sha256, quarantineEntries, quarantineBytes, maxEvicted],
      },
    ];
  }

  return {
    businessOf: ({ business }) => business,
    sizeOf: ({ raw }) => raw.length,
    plan: (calls) => ({
      statements: calls.flatMap(toStatements),
      read: (results) => calls.map((_, at) => (results[2 * at + 1]?.rows ?? []).map(evictedOf)),
    }),
  };
}

export interface Removal {
  readonly business: string;
  readonly ids: readonly string[];
}

/** Deletes callbacks. Answers with how many were there. */
export function removeKind(schema: string): Kind<Removal, number> {
  const text = inSchema(schema, removeText);
  return {
    businessOf: ({ business }) => business,
    plan: (calls) => ({
      statements: calls.map(({ business, ids }) => ({
        text,
        name: 'remove',
        values: [encodeKey(business), ids.map(numberOf)],
      })),
      read: (results) => results.map(({ rows }) => Number(rows[0]?.['removed'] ?? 0)),
    }),
  };
}

/** A number that no row has for what is no id of ours. */
export function numberOf(id: string): number {
  return /^[1-9][0-9]{0,14}$/.test(id) ? Number(id) : -1;
}

export function entryOf(row: Row): QuarantineEntry {
  return {
    id: String(row['number']),
    business: decodeText(String(row['business'])),
    rawLength: Number(row['characters']),
    reason: decodeText(String(row['reason'])),
    times: Number(row['times']),
    receivedAt: Number(row['first_received_at']),
    lastReceivedAt: Number(row['last_received_at']),
  };
}

/** @throws RangeError for more than `maxUnpackedBytes`, and Error for what is damaged. */
export function keptOf(row: Row): KeptCallback {
  const body = row['body'];
  if (!Buffer.isBuffer(body)) throw new Error('The body of a quarantined callback is not there.');
  const raw = zstdDecompressSync(body, { maxOutputLength: maxUnpackedBytes }).toString();
  return { ...entryOf(row), raw };
}

function evictedOf(row: Row): EvictedCallback {
  const { id, business, reason, receivedAt } = entryOf(row);
  return { id, business, reason, receivedAt, bytes: Number(row['bytes']) };
}

/** What a list of the quarantine reads of the table `q`: not the bodies. */
export const entryColumns =
  'q.business, q.number, q.characters, q.bytes, q.times, q.first_received_at, q.last_received_at, q.reason';

/** $1 to $7: business, hash, characters, bytes without the reason's, when it came, reason, body. */
const keepText = `with repeated as (
  update :schema.quarantine set
    bytes = bytes - octet_length(reason) + octet_length($6), reason = $6, times = times + 1,
    first_received_at = least(first_received_at, $5), last_received_at = greatest(last_received_at, $5)
  where business = $1 and sha256 = $2
  returning bytes
), former as (
  select bytes from :schema.quarantine where business = $1 and sha256 = $2
), counted as (
  select case when exists (select from former)
    then :schema.count_up($1, bytes => (select bytes from repeated) - (select bytes from former))
    else :schema.count_up($1, quarantined => 1, entries => 1, bytes => $4 + octet_length($6))
  end as business
), added as (
  insert into :schema.quarantine (
    business, number, sha256, characters, bytes, times, first_received_at, last_received_at, reason, body
  )
  select $1, (business).last_quarantined, $2, $3, $4 + octet_length($6), 1, $5, $5, $6, $7
  from counted where not exists (select from former)
)
select count(*) from counted`;

/**
 * Takes the oldest out until the rest is within the limits, but never the one that has just come.
 *
 * $1 to $5: business, hash of what has come, how many entries and bytes there may be, how many go at most. Gives those that
 * went.
 */
const evictText = `with excess as (
  select quarantine_entries - $3 as entries, quarantine_bytes - $4 as bytes from (
    select * from :schema.business where business = $1 order by change desc limit 1
  ) as b where quarantine_entries > $3 or quarantine_bytes > $4
), oldest as (
  select q.number, row_number() over before as entries_before, coalesce(sum(q.bytes) over before, 0) as bytes_before
  from (
    select number, bytes from :schema.quarantine
    where business = $1 and sha256 <> $2 and exists (select from excess) order by number limit $5
  ) as q
  window before as (order by q.number rows between unbounded preceding and 1 preceding)
), gone as (
  delete from :schema.quarantine as q where q.business = $1 and q.number = any(array(
    select number from oldest, excess where entries_before <= entries or bytes_before < bytes
  ))
  returning ${entryColumns}
), counted as (
  select :schema.count_up($1, entries => -count(*), bytes => -sum(bytes)::bigint) from gone having count(*) > 0
)
select g.* from gone g cross join (select count(*) from counted) as forced order by number`;

/** $1, $2: business and numbers. Gives how many of them were there. */
const removeText = `with gone as (
  delete from :schema.quarantine where business = $1 and number = any($2::bigint[]) returning bytes
), counted as (
  select :schema.count_up($1, entries => -count(*), bytes => -sum(bytes)::bigint) from gone having count(*) > 0
)
select (select count(*) from gone) as removed, (select count(*) from counted) as forced`;
