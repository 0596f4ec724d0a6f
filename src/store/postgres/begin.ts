import type { Attempt, Begun, NewSend } from '../../send.ts';
import { again, type Kind } from './batch.ts';
import { encodeOptional } from './message-row.ts';
import { inSchema } from './schema-text.ts';
import { holderText, repeatOf } from './send-row.ts';
import type { Row, Statement } from './statement.ts';
import { encodeKey } from './text.ts';

export interface Beginning extends NewSend {
  /** Nobody else's. By it the send is found by who does not know its number. */
  readonly token: string;
}

/** Writes sends down, and those alone whose key is free. */
export function beginKind(schema: string): Kind<Beginning, Begun> {
  const texts = {
    giveBack: inSchema(schema, giveBackText),
    insert: inSchema(schema, insertText),
    holders: inSchema(schema, holderText),
  };

  return {
    businessOf: ({ business }) => business,
    plan: (calls) => {
      const keyed = firstOfEachKey(calls);
      const wanted = calls.filter((call) => call.idempotency === null || keyed.get(nameOf(call)) === call);
      const insert: Statement = { text: texts.insert, name: 'begin', values: insertedColumns(wanted) };
      if (keyed.size === 0)
        return { statements: [insert], read: ([inserted]) => readAll(calls, inserted?.rows, []) };
      const keys = [...keyed.values()];
      return {
        statements: [
          { text: texts.giveBack, name: 'give_back', values: [...keyColumns(keys), keys.map(validSinceOf)] },
          insert,
          { text: texts.holders, name: 'holders', values: keyColumns(keys) },
        ],
        read: ([, inserted, holders]) => readAll(calls, inserted?.rows, holders?.rows),
      };
    },
  };
}

function firstOfEachKey(calls: readonly Beginning[]): ReadonlyMap<string, Beginning> {
  const first = new Map<string, Beginning>();
  for (const call of calls) {
    const name = nameOf(call);
    if (call.idempotency && !first.has(name)) first.set(name, call);
  }
  return first;
}

function readAll(calls: readonly Beginning[], inserted: readonly Row[] = [], holders: readonly Row[] = []) {
  const numbers = new Map(inserted.map((row) => [row['token'], String(row['number'])]));
  const byKey = new Map(holders.map((row) => [`${row['business']}/${row['idempotency_key']}`, row]));
  return calls.map((call) => {
    const number = numbers.get(call.token);
    if (number !== undefined) return { kind: 'begun' as const, attempt: number as Attempt };
    const holder = byKey.get(nameOf(call));
    return (holder && call.idempotency && repeatOf(holder, call.idempotency)) ?? again;
  });
}

function nameOf({ business, idempotency }: NewSend): string {
  return `${encodeKey(business)}/${encodeKey(idempotency?.key ?? '')}`;
}

function keyColumns(calls: readonly NewSend[]) {
  return [
    calls.map(({ business }) => encodeKey(business)),
    calls.map(({ idempotency }) => encodeKey(idempotency?.key ?? '')),
  ];
}

/** A `numeric`, as it may be infinite. */
function validSinceOf({ idempotency }: NewSend): string {
  return String(idempotency?.validSince ?? '-Infinity');
}

function insertedColumns(calls: readonly Beginning[]) {
  return [
    calls.map(({ business }) => encodeKey(business)),
    calls.map(({ token }) => token),
    calls.map(({ at }) => at),
    calls.map(({ idempotency }) => encodeOptional(idempotency?.key)),
    calls.map(({ idempotency }) => encodeOptional(idempotency?.fingerprint)),
    calls.map(({ text }) => encodeOptional(text.client)),
    calls.map(({ text }) => encodeOptional(text.clientPhone)),
    calls.map(({ text }) => encodeKey(JSON.stringify(text))),
  ];
}

/** $1, $2: businesses and keys, no two the same. $3: a key that was used first before this instant is free. */
const giveBackText = `update :schema.send as s set idempotency_key = null, fingerprint = null
from unnest($1::text[], $2::text[], $3::float8[]) as k (business, idempotency_key, valid_since)
where s.business = k.business and s.idempotency_key = k.idempotency_key and s.begun_at < k.valid_since`;

/**
 * $1 to $8: `insertedColumns`, no key twice. Gives the token and number of each that was begun; whose key is held is not.
 */
const insertText = `with wanted as (
  select * from unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]
  ) with ordinality as w (business, token, begun_at, idempotency_key, fingerprint, client, client_phone, input, nth)
  where idempotency_key is null or not exists (
    select from :schema.send as s where s.business = w.business and s.idempotency_key = w.idempotency_key offset 0
  )
), summed as (
  select w.*, row_number() over (partition by business order by nth) as nth_of_business,
    count(*) over (partition by business) as begun
  from wanted w
), counted as (
  select s.*, case when nth_of_business = 1 then (:schema.count_up(business, sends => begun)).last_send end as last_send
  from summed s
)
insert into :schema.send (
  business, number, token, begun_at, outcome, idempotency_key, fingerprint, client, client_phone, input
)
select business, max(last_send) over (partition by business) - begun + nth_of_business, token, begun_at, 'PENDING',
  idempotency_key, fingerprint, client, client_phone, input
from counted
returning token, number`;
