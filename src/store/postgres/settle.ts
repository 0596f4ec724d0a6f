import type { GatewayErrorCode } from '../../errors.ts';
import { keyText, type Message, updatedAtOf } from '../../message.ts';
import { type Attempt, outcomeOfFailure } from '../../send.ts';
import type { Kind } from './batch.ts';
import { findStatement, stateOf } from './finding.ts';
import { keyTextOf, mergeStatement, mergeText } from './merge.ts';
import { inSchema } from './schema-text.ts';
import type { Statement } from './statement.ts';
import { encodeKey } from './text.ts';
import type { MessageState } from './watched.ts';

export interface Acceptance {
  readonly attempt: Attempt;
  readonly message: Message;
}

/** Undefined: the id is that of another send's message. */
export type Accepted = MessageState | undefined;

/** Merges what the answers to sends say, and then settles the sends by whose details the messages have. */
export function acceptKind(schema: string, callbackOnlyLimit: number): Kind<Acceptance, Accepted> {
  const texts = { merge: inSchema(schema, mergeText), accept: inSchema(schema, acceptText) };

  function acceptStatement(calls: readonly Acceptance[]): Statement {
    return {
      text: texts.accept,
      name: 'accept',
      values: [
        calls.map(({ message }) => encodeKey(message.business)),
        calls.map(({ attempt }) => Number(attempt)),
        calls.map(({ message }) => encodeKey(message.id)),
        calls.map(({ message }) => updatedAtOf(message)),
      ],
    };
  }

  return {
    businessOf: ({ message }) => message.business,
    // Of several sends that are given one id at once the first has it.
    keyOf: ({ message }) => keyText(message),
    plan: (calls) => {
      const messages = calls.map(({ message }) => message);
      const news = calls.map(({ attempt, message }) => ({ message, hasPlace: true, send: Number(attempt) }));
      return {
        statements: [
          mergeStatement(texts.merge, news, callbackOnlyLimit),
          acceptStatement(calls),
          findStatement(schema, messages),
        ],
        read: ([, , found]) => {
          const rows = new Map(found?.rows.map((row) => [keyTextOf(row), row]));
          return calls.map(({ attempt, message }) => {
            const row = rows.get(keyText(message));
            return row && String(row['send']) === attempt ? stateOf(row) : undefined;
          });
        },
      };
    },
  };
}

/**
 * Settles sends whose messages were merged in this transaction. One whose message has the details of another send is
 * UNKNOWN, unless it is ACCEPTED.
 *
 * $1 to $4: business, number, id of the message, when.
 */
const acceptText = `update :schema.send as s set
  outcome = case when is_own then 'ACCEPTED' else 'UNKNOWN' end,
  error_code = case when is_own then null else 'SEND_OUTCOME_UNKNOWN' end,
  message_id = a.message_id,
  settled_at = a.at
from (
  select a.*, coalesce(m.send = a.number, false) as is_own
  from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[]) as a (business, number, message_id, at)
  left join lateral (
    select send from :schema.message where business = a.business and id = a.message_id offset 0
  ) as m on true
) as a
where s.business = a.business and s.number = a.number and (is_own or s.outcome <> 'ACCEPTED')`;

export interface Failure {
  readonly business: string;
  readonly attempt: Attempt;
  readonly code: GatewayErrorCode;
  readonly at: number;
}

/** Settles sends that did not end in a message; one that is ACCEPTED stays so. */
export function failKind(schema: string): Kind<Failure, null> {
  const text = inSchema(schema, failText);
  return {
    businessOf: ({ business }) => business,
    keyOf: ({ business, attempt }) => `${business}/${attempt}`,
    plan: (calls) => ({
      statements: [{ text, name: 'fail', values: failColumns(calls) }],
      read: () => calls.map(() => null),
    }),
  };
}

function failColumns(calls: readonly Failure[]) {
  return [
    calls.map(({ business }) => encodeKey(business)),
    calls.map(({ attempt }) => Number(attempt)),
    calls.map(({ code }) => outcomeOfFailure(code)),
    calls.map(({ code }) => code),
    calls.map(({ at }) => at),
  ];
}

/** $1 to $5: business, number, outcome, code, when. NOT_SENT gives the idempotency key back. */
const failText = `update :schema.send as s set
  outcome = f.outcome, error_code = f.error_code, message_id = null, settled_at = f.at,
  idempotency_key = case when f.outcome = 'NOT_SENT' then null else s.idempotency_key end,
  fingerprint = case when f.outcome = 'NOT_SENT' then null else s.fingerprint end
from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])
  as f (business, number, outcome, error_code, at)
where s.business = f.business and s.number = f.number and s.outcome <> 'ACCEPTED'`;
