import {
  type DeliveryStatus,
  deliveryStatuses,
  type Message,
  type SendDetails,
  type StatusEvent,
} from '../../src/message.ts';
import type { OutgoingText } from '../../src/outgoing-text.ts';

/** Early enough for any prune, late enough to be an instant. */
export const someTime = Date.UTC(2026, 0, 1);

export function eventOf(
  status: DeliveryStatus,
  at = someTime + deliveryStatuses.indexOf(status),
): StatusEvent {
  const rawStatus = status === 'ACCEPTED' ? null : status.toLowerCase();
  const failure = status === 'FAILED' ? { code: '131047', reason: 'the conversation is closed' } : null;
  return { status, at, receivedAt: at, rawStatus, failure };
}

/** What one callback says: a message with one event. */
export function news(id: string, status: DeliveryStatus, at?: number): Message {
  return { id, details: null, history: [eventOf(status, at)] };
}

export const someText: OutgoingText = {
  client: 'jon',
  clientPhone: '3931212321',
  clientName: 'Jon Doe',
  textMessage: 'Good morning',
  delay: null,
};

/** What the answer to a send says. */
export function accepted(id: string, details: Partial<SendDetails> = {}): Message {
  const sent = { ...someText, scheduledFor: null, acceptedAt: someTime, ...details };
  return { id, details: sent, history: [eventOf('ACCEPTED', sent.acceptedAt)] };
}
