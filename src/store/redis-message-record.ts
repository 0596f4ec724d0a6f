import {
  type DeliveryStatus,
  deliveryStatuses,
  type Message,
  type MessageKey,
  merge,
  type SendDetails,
  type StatusEvent,
} from '../message.ts';
import { checkVersion } from './redis-record.ts';

/**
 * How Redis keeps a message: lines of fields with tabs between. Texts are JSON literals, which hold neither a tab nor
 * the end of a line, so that a script can take a record apart, and put it together again, without reading a text.
 *
 *     1 <revision> <stamp> <status>
 *     D <client> <clientPhone> <clientName> <textMessage> <delay> <scheduledFor> <acceptedAt>
 *     <status> <at> <receivedAt> <rawStatus> <failure code> <failure reason>
 *
 * One line D where details are known, and one for each event; both fields of a failure are `-` where there is none.
 * The stamp says when the message was first heard of. Later releases may add fields at the end of a line, and lines that
 * begin with another word: whoever does not know them keeps them. A release that must break this takes the next number.
 */
export interface KeptMessage {
  readonly message: Message;
  /** Another one for a message that has come back since it was deleted. */
  readonly stamp: string;
}

/** @throws Error for a record of a newer release. */
export function decodeMessage(key: MessageKey, record: string): KeptMessage {
  const [header = '', ...lines] = record.split('\n');
  const [version, , stamp = ''] = header.split('\t');
  checkVersion(version);
  let details: SendDetails | null = null;
  const history: StatusEvent[] = [];
  for (const line of lines) {
    const [kind = '', ...fields] = line.split('\t');
    if (kind === 'D') details = decodeDetails(fields);
    else if (isStatus(kind)) history.push(decodeEvent(kind, fields));
  }
  return { message: merge(undefined, { ...key, details, history }), stamp };
}

/** What a message says, without the header. */
export function encodeNews({ details, history }: Message): string {
  const lines = history.map(encodeEvent);
  if (details) lines.unshift(encodeDetails(details));
  return lines.join('\n');
}

function isStatus(kind: string): kind is DeliveryStatus {
  return deliveryStatuses.some((status) => status === kind);
}

function encodeEvent({ status, at, receivedAt, rawStatus, failure }: StatusEvent): string {
  const [code, reason] = failure ? [literal(failure.code), literal(failure.reason)] : ['-', '-'];
  return [status, literal(at), literal(receivedAt), literal(rawStatus), code, reason].join('\t');
}

function decodeEvent(status: DeliveryStatus, fields: readonly string[]): StatusEvent {
  const [at = '0', receivedAt = '0', rawStatus = 'null', code = '-', reason = '-'] = fields;
  const failure = code === '-' ? null : { code: JSON.parse(code), reason: JSON.parse(reason) };
  return {
    status,
    at: Number(at),
    receivedAt: Number(receivedAt),
    rawStatus: JSON.parse(rawStatus),
    failure,
  };
}

function encodeDetails(details: SendDetails): string {
  const { client, clientPhone, clientName, textMessage, delay, scheduledFor, acceptedAt } = details;
  const values = [client, clientPhone, clientName, textMessage, delay, scheduledFor, acceptedAt];
  return ['D', ...values.map(literal)].join('\t');
}

function decodeDetails(fields: readonly string[]): SendDetails {
  const [client, clientPhone, clientName, textMessage, delay, scheduledFor, acceptedAt] = fields
    .slice(0, 7)
    .map((field) => JSON.parse(field));
  return { client, clientPhone, clientName, textMessage, delay, scheduledFor, acceptedAt };
}

function literal(value: string | number | null): string {
  return JSON.stringify(value);
}
