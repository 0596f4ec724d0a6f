import type { CallbackFault, CallbackReading } from '../callback-reading.ts';
import type { CallbackFormat } from '../config.ts';
import { type Message, merge } from '../message.ts';
import { parseJson } from '../parse-json.ts';
import type { QuarantinedCallback } from '../store/port.ts';
import { type Arrival, createElementReader } from './callback-element.ts';

/**
 * The body of a callback whose sender has proven to be Pingup. Only the authenticator makes one, and the quarantine
 * gives back what was one.
 */
export type AuthenticText = string & { readonly brand: 'AuthenticText' };

/** A callback of Pingup's, and the business whose it has proven to be: the only one whose messages it can speak of. */
export interface AuthenticCallback {
  readonly business: string;
  readonly text: AuthenticText;
}

/** Reads a body. Undefined: it is not JSON. */
export type ReadCallback = (text: AuthenticText, arrival: Arrival) => CallbackReading | undefined;

/** A reader of callbacks: of one element, or of an array of them. An empty array says nothing, and is understood. */
export function createCallbackReader(format: CallbackFormat): ReadCallback {
  const readElement = createElementReader(format);
  return (text, arrival) => {
    const body = parseJson(text);
    if (body === undefined) return undefined;
    const understood: Message[] = [];
    const faults: CallbackFault[] = [];
    for (const [index, element] of (Array.isArray(body) ? body : [body]).entries()) {
      const reading = readElement(element, arrival);
      if ('id' in reading) understood.push(reading);
      else faults.push(...reading.expected.map((expected) => ({ index, expected })));
    }
    return { news: mergeByMessage(understood), accepted: understood.length, faults };
  };
}

/** A reader of what is in quarantine: only what was authentic, and JSON, came in there. */
export function createQuarantineReader(
  format: CallbackFormat,
): (callback: QuarantinedCallback) => CallbackReading {
  const read = createCallbackReader(format);
  return (callback) => {
    const reading = read(callback.raw as AuthenticText, callback);
    if (reading) return reading;
    return { news: [], accepted: 0, faults: [{ index: 0, expected: 'JSON' }] };
  };
}

function mergeByMessage(messages: readonly Message[]): readonly Message[] {
  if (messages.length < 2) return messages;
  const byId = new Map<string, Message>();
  for (const message of messages) byId.set(message.id, merge(byId.get(message.id), message));
  return [...byId.values()];
}
