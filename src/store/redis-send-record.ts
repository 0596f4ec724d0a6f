import type { GatewayErrorCode } from '../errors.ts';
import type { KeptText } from '../outgoing-text.ts';
import type { Idempotency, Send, SendOutcome } from '../send.ts';
import { checkVersion } from './redis-record.ts';

/**
 * How Redis keeps a send, in the manner of `redis-message-record.ts`:
 *
 *     1 <business> <outcome> <begunAt> <settledAt> <errorCode> <messageId> <fingerprint> <idempotency key>
 *     T <client> <clientPhone> <clientName> <textMessage> <delay>
 */
export function decodeSend(id: string, record: string): Send {
  const [header = '', ...lines] = record.split('\n');
  const [version, ...fields] = header.split('\t');
  checkVersion(version);
  const [business, outcome, begunAt, settledAt, errorCode, messageId] = fields
    .slice(0, 6)
    .map((field) => JSON.parse(field));
  const text = decodeText(lines.find((line) => line.startsWith('T\t')) ?? '');
  return {
    id,
    business,
    text,
    begunAt,
    settledAt,
    outcome: outcome as SendOutcome,
    errorCode: errorCode as GatewayErrorCode | null,
    messageId,
  };
}

export function encodeText({ client, clientPhone, clientName, textMessage, delay }: KeptText): string {
  return ['T', ...[client, clientPhone, clientName, textMessage, delay].map(literal)].join('\t');
}

/** The fields of a new send that follow its outcome and begin. */
export function encodeIdempotency(idempotency: Idempotency | null): string {
  const { fingerprint = null, key = null } = idempotency ?? {};
  return `${literal(fingerprint)}\t${literal(key)}`;
}

/** A text, or none, as records have it. */
export function literal(value: string | null): string {
  return JSON.stringify(value);
}

function decodeText(line: string): KeptText {
  const [client = null, clientPhone = null, clientName = null, textMessage = null, delay = null] = line
    .split('\t')
    .slice(1, 6)
    .map((field): string | null => JSON.parse(field));
  return { client, clientPhone, clientName, textMessage, delay };
}
