import type { CallbackFormat } from '../config.ts';
import type { DeliveryFailure, DeliveryStatus, Message } from '../message.ts';
import { maxCharacters } from '../text-limits.ts';
import { agreedValue, firstValue, jsonPlaces } from './json-places.ts';
import { parseMessageId } from './message-id.ts';
import { parseTimestamp } from './timestamp.ts';

/** Where and when (ms since the epoch) a callback came. */
export interface Arrival {
  readonly business: string;
  readonly receivedAt: number;
}

/** An element that was not understood: each thing that it lacks. */
export interface Misunderstood {
  readonly expected: readonly string[];
}

/** Reads one element of a callback. */
export type ReadElement = (element: unknown, arrival: Arrival) => Message | Misunderstood;

/**
 * A reader of what a callback says of one message.
 *
 * It must give a message id and a word for a status that the format knows. It may give when that happened and, with a
 * failure, the reason; where these are absent or unreadable the status stands without them. Each is looked for at the
 * format's pointer, or else at the top and under `data`. Two places that contradict each other are not understood:
 * nothing is guessed.
 */
export function createElementReader(format: CallbackFormat): ReadElement {
  const idPlaces = jsonPlaces(format.messageIdPointer, ['/message_id']);
  const statusPlaces = jsonPlaces(format.statusPointer, ['/status']);
  const timePlaces = jsonPlaces(format.timestampPointer, ['/timestamp']);
  const readFailure = createFailureReader(format);
  const lacksId = `a message id at ${idPlaces.described}: 1 to 256 characters without control characters, or a whole number below 2^53`;
  const lacksStatus = `a status at ${statusPlaces.described}: ${[...format.statusMap.keys()].join(', ')}`;

  function toStatus(word: unknown): DeliveryStatus | undefined {
    return isWord(word) ? format.statusMap.get(word.trim().toLowerCase()) : undefined;
  }

  return (element, { business, receivedAt }) => {
    if (typeof element !== 'object' || element === null || Array.isArray(element))
      return { expected: ['an object'] };
    const id = agreedValue(element, idPlaces, parseMessageId);
    const status = agreedValue(element, statusPlaces, toStatus);
    if (id === undefined) return { expected: status === undefined ? [lacksId, lacksStatus] : [lacksId] };
    if (status === undefined) return { expected: [lacksStatus] };
    const rawStatus = firstValue(element, statusPlaces, (word) =>
      toStatus(word) && isWord(word) ? word : undefined,
    );
    const at = firstValue(element, timePlaces, (time) => parseTimestamp(time, receivedAt)) ?? receivedAt;
    const failure = status === 'FAILED' ? readFailure(element) : null;
    return {
      business,
      id,
      details: null,
      history: [{ status, at, receivedAt, rawStatus: rawStatus ?? null, failure }],
    };
  };
}

const usualCodes = ['/error/code', '/error_code', '/failure_code'];
const usualReasons = [
  '/error/message',
  '/error/reason',
  '/error',
  '/reason',
  '/failure_reason',
  '/error_message',
];

/** Pingup documents no place for the reason of a failure: these are the places where its like put it. */
function createFailureReader(format: CallbackFormat): (element: object) => DeliveryFailure | null {
  const codePlaces = jsonPlaces(format.failureCodePointer, usualCodes);
  const reasonPlaces = jsonPlaces(format.failureReasonPointer, usualReasons);
  return (element) => {
    const code =
      firstValue(element, codePlaces, (value) => parseWords(value, maxCharacters.failureCode)) ?? null;
    const reason =
      firstValue(element, reasonPlaces, (value) => parseWords(value, maxCharacters.failureReason)) ?? null;
    return code === null && reason === null ? null : { code, reason };
  };
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxCharacters.rawStatus;
}

/** Text that says something, cut to `max` characters; a number stands for its digits. */
function parseWords(value: unknown, max: number): string | undefined {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  return value.slice(0, max).toWellFormed();
}
