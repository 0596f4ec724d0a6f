import type { DeliveryStatus, SendDetails, StatusEvent } from '../../message.ts';
import { decodeText, encodeOrdered } from './text.ts';

/**
 * Events and details as texts whose order, byte by byte, is the order by which `merge` of `src/message.ts` prefers: of two
 * the lesser one is kept. So SQL merges with `least()`, which is commutative, associative and idempotent, and passes over
 * null.
 */

/** `0001767225600000 0001767225600000 "sent⌁nn-`: both instants, the provider's word, code, reason, whether it is a failure. */
export function encodeEvent({ at, receivedAt, rawStatus, failure }: StatusEvent): string {
  const { code = null, reason = null } = failure ?? {};
  const words = encodeField(rawStatus) + encodeField(code) + encodeField(reason);
  return `${encodeInstant(at)} ${encodeInstant(receivedAt)} ${words}${failure ? '+' : '-'}`;
}

export function decodeEvent(status: DeliveryStatus, text: string): StatusEvent {
  const [rawStatus = null, code = null, reason = null] = decodeFields(text.slice(2 * digits + 2));
  return {
    status,
    at: Number(text.slice(0, digits)),
    receivedAt: Number(text.slice(digits + 1, 2 * digits + 1)),
    rawStatus,
    failure: text.endsWith('+') ? { code, reason } : null,
  };
}

/** `0001767225600000 {"client":…}` */
export function encodeDetails(details: SendDetails): string {
  return `${encodeInstant(details.acceptedAt)} ${encodeOrdered(JSON.stringify(details))}`;
}

export function decodeDetails(text: string): SendDetails {
  return JSON.parse(decodeText(text.slice(digits + 1)));
}

/** Enough for every instant that a `Date` can have. */
const digits = 16;

function encodeInstant(instant: number): string {
  if (!Number.isSafeInteger(instant) || instant < 0)
    throw new RangeError('An instant is not a whole number.');
  return String(instant).padStart(digits, '0');
}

/** Before every character that an encoded text has. */
const end = '\u0001';

/** A text before no text. */
function encodeField(text: string | null): string {
  return text === null ? 'n' : `"${encodeOrdered(text)}${end}`;
}

function decodeFields(text: string): (string | null)[] {
  const fields: (string | null)[] = [];
  for (let at = 0; at < text.length - 1; ) {
    const last = text.charAt(at) === 'n' ? at : text.indexOf(end, at);
    fields.push(last === at ? null : decodeText(text.slice(at + 1, last)));
    at = last + 1;
  }
  return fields;
}
