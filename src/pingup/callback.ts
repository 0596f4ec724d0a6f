import type { CallbackFormat } from '../config.ts';
import { type Message, merge } from '../message.ts';
import { createElementReader } from './callback-element.ts';

/** The body of a callback whose sender has proven to be Pingup. Only the callback door makes one. */
export type AuthenticText = string & { readonly brand: 'AuthenticText' };

/** What a callback says, and what of it was not understood. */
export interface CallbackReading {
  /** What was understood, one entry for each message. */
  readonly news: readonly Message[];
  /** How many elements were understood. */
  readonly accepted: number;
  readonly faults: readonly CallbackFault[];
}

export interface CallbackFault {
  /** Of the element in its array; 0 where the body is no array. */
  readonly index: number;
  /** What would have been understood. */
  readonly expected: string;
}

/** Reads a body that came at `receivedAt` (ms since the epoch). Undefined: it is not JSON. */
export type ReadCallback = (text: AuthenticText, receivedAt: number) => CallbackReading | undefined;

/** A reader of callbacks: of one element, or of an array of them. An empty array says nothing, and is understood. */
export function createCallbackReader(format: CallbackFormat): ReadCallback {
  const readElement = createElementReader(format);
  return (text, receivedAt) => {
    const body = parseJson(text);
    if (body === undefined) return undefined;
    const understood: Message[] = [];
    const faults: CallbackFault[] = [];
    for (const [index, element] of (Array.isArray(body) ? body : [body]).entries()) {
      const reading = readElement(element, receivedAt);
      if ('id' in reading) understood.push(reading);
      else faults.push(...reading.expected.map((expected) => ({ index, expected })));
    }
    return { news: mergeByMessage(understood), accepted: understood.length, faults };
  };
}

/** Undefined where it is not JSON: no JSON text has that value. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mergeByMessage(messages: readonly Message[]): readonly Message[] {
  if (messages.length < 2) return messages;
  const byId = new Map<string, Message>();
  for (const message of messages) byId.set(message.id, merge(byId.get(message.id), message));
  return [...byId.values()];
}
