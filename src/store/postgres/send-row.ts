import type { GatewayErrorCode } from '../../errors.ts';
import type { Idempotency, Repeat, Send, SendOutcome } from '../../send.ts';
import type { Store } from '../port.ts';
import type { Connections } from './connections.ts';
import { messageOf } from './message-row.ts';
import { inSchema } from './schema-text.ts';
import type { Row } from './statement.ts';
import { decodeText, encodeKey } from './text.ts';

export function sendOf(row: Row): Send {
  const messageId = row['message_id'];
  return {
    id: String(row['number']),
    business: decodeText(String(row['business'])),
    text: JSON.parse(decodeText(String(row['input']))),
    begunAt: Number(row['begun_at']),
    settledAt: row['settled_at'] === null ? null : Number(row['settled_at']),
    outcome: row['outcome'] as SendOutcome,
    errorCode: row['error_code'] as GatewayErrorCode | null,
    messageId: typeof messageId === 'string' ? decodeText(messageId) : null,
  };
}

/** What a repeat is told of the send that holds its key, with its message beside it. Undefined: the key is free again. */
export function repeatOf(row: Row, { fingerprint, validSince }: Idempotency): Repeat | undefined {
  if (Number(row['begun_at']) < validSince) return undefined;
  if (row['fingerprint'] !== encodeKey(fingerprint)) return { kind: 'reused' };
  if (row['outcome'] === 'PENDING') return { kind: 'running' };
  if (row['outcome'] === 'ACCEPTED' && row['id'] !== null)
    return { kind: 'accepted', message: messageOf(row) };
  return { kind: 'failed', code: (row['error_code'] as GatewayErrorCode | null) ?? 'NOT_FOUND' };
}

/**
 * Which send holds each key, with what became of it.
 *
 * $1, $2: businesses and keys. Gives `idempotency_key`, `fingerprint`, `begun_at`, `outcome`, `error_code`, and the columns of
 * `messageOf`, of which `id` is null if it is not ACCEPTED or its message is gone.
 */
export const holderText = `select s.idempotency_key, s.fingerprint, s.begun_at, s.outcome, s.error_code, s.business, m.id, m.details,
  m.accepted, m.sent, m.failed, m.delivered, m.read
from unnest($1::text[], $2::text[]) as k (business, idempotency_key)
cross join lateral (
  select * from :schema.send where business = k.business and idempotency_key = k.idempotency_key offset 0
) as s
left join lateral (
  select * from :schema.message where s.outcome = 'ACCEPTED' and business = s.business and id = s.message_id offset 0
) as m on true`;

/** @param holdKey keeps keys from expiring while the clock is not trusted. */
export function createFindRepeat(
  schema: string,
  read: Connections['read'],
  holdKey: (idempotency: Idempotency) => Idempotency,
): Store['findRepeat'] {
  const text = inSchema(schema, holderText);
  return async (business, idempotency) => {
    const [row] = await read(text, [[encodeKey(business)], [encodeKey(idempotency.key)]]);
    return row && repeatOf(row, holdKey(idempotency));
  };
}
