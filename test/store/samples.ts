import {
  type DeliveryStatus,
  deliveryStatuses,
  type Message,
  type MessageKey,
  type SendDetails,
  type StatusEvent,
} from '../../src/message.ts';
import type { OutgoingText } from '../../src/outgoing-text.ts';
import type { Attempt, NewSend } from '../../src/send.ts';
import type { Store } from '../../src/store/port.ts';

/** Early enough for any prune, late enough to be an instant. */
export const someTime = Date.UTC(2026, 0, 1);

/** Whose everything is here, unless it is said otherwise. */
export const business = 'acme';

export function key(id: string): MessageKey {
  return { business, id };
}

function eventOf(status: DeliveryStatus, at = someTime + deliveryStatuses.indexOf(status)): StatusEvent {
  const rawStatus = status === 'ACCEPTED' ? null : status.toLowerCase();
  const failure = status === 'FAILED' ? { code: '131047', reason: 'the conversation is closed' } : null;
  return { status, at, receivedAt: at, rawStatus, failure };
}

/** What one callback says: a message with one event. */
export function news(id: string, status: DeliveryStatus, at?: number): Message {
  return { business, id, details: null, history: [eventOf(status, at)] };
}

export const someText: OutgoingText = {
  client: 'jon',
  clientPhone: '3931212321',
  clientName: 'Jon Doe',
  textMessage: 'Good morning',
  delay: null,
};

/** A send of its own, unless it is given a key. */
export function newSend(send: Partial<NewSend> = {}): NewSend {
  return { business, text: someText, at: someTime, idempotency: null, ...send };
}

/** A send with an idempotency key, first and later. */
export function keyedSend(
  key: string,
  send: Partial<NewSend> & { fingerprint?: string; validSince?: number } = {},
) {
  const { fingerprint = 'f', validSince = 0, ...rest } = send;
  return newSend({ ...rest, idempotency: { key, fingerprint, validSince } });
}

export async function beginSend(store: Store, send: NewSend = newSend()): Promise<Attempt> {
  const begun = await store.begin(send);
  if (begun.kind !== 'begun') throw new Error(`not begun, but ${begun.kind}`);
  return begun.attempt;
}

/** What the answer to a send says. */
export function accepted(id: string, details: Partial<SendDetails> = {}): Message {
  const sent = { ...someText, scheduledFor: null, acceptedAt: someTime, ...details };
  return { business, id, details: sent, history: [eventOf('ACCEPTED', sent.acceptedAt)] };
}
