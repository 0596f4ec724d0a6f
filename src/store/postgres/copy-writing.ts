import type { CopiedRow, CopyTarget } from '../copy.ts';
import type { CopyClient } from './copy-client.ts';
import { encodeOptional, toColumns } from './message-row.ts';
import type { Value } from './statement.ts';
import { encodeKey } from './text.ts';

/** Whoever began a send: no node, so none takes it for its own. */
const copiedToken = 'copied';

/** Writes within the transaction that is open. */
export function createWriters(client: CopyClient, schema: string): CopyTarget['write'] {
  const write = async (text: string, values: readonly Value[]) => void (await client.ask({ text, values }));

  return {
    businesses: (rows) => write(businessText(schema), businessColumns(rows)),
    messages: async (rows) => {
      await write(messageText(schema), messageColumns(rows));
      const explained = rows.filter(({ message }) => message.details === null);
      await write(callbackOnlyText(schema), [explained.map(({ message }) => encodeKey(message.business))]);
    },
    sends: (rows) => write(sendText(schema), sendColumns(rows)),
    quarantine: async (rows) => {
      await write(quarantineText(schema), quarantineColumns(rows));
      const businesses = rows.map(({ business }) => encodeKey(business));
      await write(quarantineCountText(schema), [businesses, rows.map(({ bytes }) => bytes)]);
    },
  };
}

/** $1 to $4: `businessColumns`. One row for each, as the numbers of rows that are to come are known. */
const businessText = (schema: string) => `insert into ${schema}.business (
  business, change, last_message, last_send, last_quarantined,
  callback_only_messages, quarantine_entries, quarantine_bytes, deleted_change
)
select business, nextval('${schema}.change_number'), last_message, last_send, last_quarantined, 0, 0, 0, 0
from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
  as b (business, last_message, last_send, last_quarantined)`;

function businessColumns(rows: readonly CopiedRow['businesses'][]): Value[] {
  return [
    rows.map(({ business }) => encodeKey(business)),
    rows.map(({ lastMessage }) => lastMessage),
    rows.map(({ lastSend }) => lastSend),
    rows.map(({ lastQuarantined }) => lastQuarantined),
  ];
}

/** $1: the business of each message that is known from callbacks alone. */
const callbackOnlyText = (schema: string) => `update ${schema}.business as b
set callback_only_messages = callback_only_messages + added
from (select business, count(*) as added from unnest($1::text[]) as m (business) group by business) as m
where b.business = m.business`;

/** $1, $2: the business of each entry, and what it counts for. */
const quarantineCountText = (schema: string) => `update ${schema}.business as b
set quarantine_entries = quarantine_entries + entries, quarantine_bytes = quarantine_bytes + added
from (
  select business, count(*) as entries, sum(bytes) as added
  from unnest($1::text[], $2::bigint[]) as q (business, bytes) group by business
) as q
where b.business = q.business`;

/** $1 to $15: `messageColumns`. Their change numbers are in the order of the rows. */
const messageText = (schema: string) => `insert into ${schema}.message (
  business, id, number, change, created_at, send, scheduled_for, client, client_phone, details,
  accepted, sent, failed, delivered, read
)
select business, id, number, nextval('${schema}.change_number'), created_at, send, scheduled_for, client, client_phone,
  details, accepted, sent, failed, delivered, read
from unnest(
  $1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[],
  $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[]
) as m (
  number, created_at, send, business, id, updated_at, scheduled_for, client, client_phone,
  details, accepted, sent, failed, delivered, read
)`;

function messageColumns(rows: readonly CopiedRow['messages'][]): Value[] {
  return [
    rows.map(({ number }) => number),
    rows.map(({ createdAt }) => createdAt),
    rows.map(({ send }) => send),
    ...toColumns(rows.map(({ message }) => message)),
  ];
}

/** $1: a token; $2 to $13: `sendColumns`. */
const sendText = (schema: string) => `insert into ${schema}.send (
  token, business, number, begun_at, settled_at, outcome, error_code, message_id, idempotency_key, fingerprint,
  client, client_phone, input
)
select $1, * from unnest(
  $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
  $11::text[], $12::text[], $13::text[]
)`;

function sendColumns(rows: readonly CopiedRow['sends'][]): Value[] {
  const sends = rows.map(({ send }) => send);
  return [
    copiedToken,
    sends.map(({ business }) => encodeKey(business)),
    sends.map(({ id }) => id),
    sends.map(({ begunAt }) => begunAt),
    sends.map(({ settledAt }) => settledAt),
    sends.map(({ outcome }) => outcome),
    sends.map(({ errorCode }) => errorCode),
    sends.map(({ messageId }) => encodeOptional(messageId)),
    rows.map(({ idempotencyKey }) => encodeOptional(idempotencyKey)),
    rows.map(({ fingerprint }) => encodeOptional(fingerprint)),
    sends.map(({ text }) => encodeOptional(text.client)),
    sends.map(({ text }) => encodeOptional(text.clientPhone)),
    sends.map(({ text }) => encodeKey(JSON.stringify(text))),
  ];
}

/** $1 to $10: `quarantineColumns`. */
const quarantineText = (schema: string) => `insert into ${schema}.quarantine (
  business, number, sha256, characters, bytes, times, first_received_at, last_received_at, reason, body
)
select business, number, decode(sha256, 'hex'), characters, bytes, times, first_received_at, last_received_at, reason,
  decode(body, 'base64')
from unnest(
  $1::text[], $2::bigint[], $3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[],
  $10::text[]
) as q (business, number, sha256, characters, bytes, times, first_received_at, last_received_at, reason, body)`;

function quarantineColumns(rows: readonly CopiedRow['quarantine'][]): Value[] {
  return [
    rows.map(({ business }) => encodeKey(business)),
    rows.map(({ number }) => number),
    rows.map(({ sha256 }) => Buffer.from(sha256).toString('hex')),
    rows.map(({ characters }) => characters),
    rows.map(({ bytes }) => bytes),
    rows.map(({ times }) => times),
    rows.map(({ firstReceivedAt }) => firstReceivedAt),
    rows.map(({ lastReceivedAt }) => lastReceivedAt),
    rows.map(({ reason }) => encodeKey(reason)),
    rows.map(({ body }) => Buffer.from(body).toString('base64')),
  ];
}
