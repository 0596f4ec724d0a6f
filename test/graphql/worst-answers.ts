import { anyone } from '../../src/caller.ts';
import type { GatewayContext } from '../../src/graphql/context.ts';
import { deliveryStatuses, type Message } from '../../src/message.ts';
import type { Messaging } from '../../src/messaging.ts';
import type { Send } from '../../src/send.ts';
import type { QuarantineEntry } from '../../src/store/port.ts';
import { maxCharacters } from '../../src/text-limits.ts';

/** Each takes as many bytes as its kind can in JSON: escaped, or in UTF-8. */
export const dearCharacters = ['\u0001', '"', '\u007f', 'é', '\u2028', '😀'] as const;

const business = 'b'.repeat(maxCharacters.business);
const instant = Date.UTC(2030, 0, 1);
const cursor = 'c'.repeat(64);

/** So many characters: code points, or UTF-16 code units. */
function points(character: string, count: number): string {
  return character.repeat(count);
}

function units(character: string, count: number): string {
  return character.repeat(count / character.length);
}

function whomTo(character: string) {
  return {
    client: points(character, maxCharacters.name),
    clientPhone: '9'.repeat(maxCharacters.phone),
    clientName: points(character, maxCharacters.name),
    delay: '315360000s',
  };
}

/** A message in which every text is as long as it can be. */
function worstMessage(character: string): Message {
  const failure = {
    code: units(character, maxCharacters.failureCode),
    reason: units(character, maxCharacters.failureReason),
  };
  const rawStatus = units(character, maxCharacters.rawStatus);
  return {
    business,
    id: units(character, maxCharacters.messageId),
    details: {
      ...whomTo(character),
      textMessage: points(character, maxCharacters.text),
      scheduledFor: instant,
      acceptedAt: instant,
    },
    // Without the proof of delivery that would take the failure back, and with as many events all the same.
    history: deliveryStatuses.map((_, index) => ({
      status: index === 0 ? 'FAILED' : 'ACCEPTED',
      at: instant,
      receivedAt: instant,
      rawStatus,
      failure: index === 0 ? failure : null,
    })),
  };
}

function worstSend(character: string): Send {
  return {
    id: '9'.repeat(64),
    business,
    text: { ...whomTo(character), textMessage: null },
    begunAt: instant,
    settledAt: instant,
    outcome: 'ACCEPTED',
    errorCode: 'AUTHENTICATION_UNAVAILABLE',
    messageId: units(character, maxCharacters.messageId),
  };
}

function worstCallback(character: string): QuarantineEntry {
  return {
    id: '9'.repeat(64),
    business,
    rawLength: 2_147_483_647,
    reason: units(character, maxCharacters.quarantineReason + 12),
    receivedAt: instant,
    lastReceivedAt: instant,
    times: 2_147_483_647,
  };
}

function pageOf<T>(first: number, entry: T) {
  return { entries: Array.from({ length: first }, () => entry), hasMore: true };
}

/** What is behind a schema whose every answer is as long as it can be. */
export function worstContext(character: string): GatewayContext {
  const message = worstMessage(character);
  const messaging: Partial<Messaging> = {
    send: async () => ({ message, replayed: false }),
    find: async () => message,
    list: async ({ first }) => pageOf(first, { cursor, message }),
    sends: async ({ first }) => pageOf(first, { cursor, send: worstSend(character) }),
    quarantined: async ({ first }) => pageOf(first, { cursor, callback: worstCallback(character) }),
    quarantinedBody: async () => units(character, 40_000),
    deleteQuarantined: async () => 2_147_483_647,
    forget: async () => ({ messages: 2_147_483_647, sends: 2_147_483_647 }),
    replayCallback: async () => ({ news: [], accepted: 2_147_483_647, faults: worstFaults(character) }),
  };
  return {
    messaging: messaging as Messaging,
    businesses: () => ['acme'],
    caller: anyone,
    address: () => '127.0.0.1',
    traceparent: undefined,
  };
}

function worstFaults(character: string) {
  return Array.from({ length: 1_000 }, () => ({ index: 99_999, expected: points(character, 1_000) }));
}
