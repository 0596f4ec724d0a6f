import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type DeliveryStatus,
  deliveryStatuses,
  failureOf,
  isFinal,
  type Message,
  merge,
  revisionOf,
  statusOf,
  updatedAtOf,
} from '../src/message.ts';
import { anyNews } from './support/arbitraries.ts';

const anyMessage = fc.array(anyNews(), { minLength: 1, maxLength: 6 }).map(mergeAll);

function mergeAll(news: readonly Message[]): Message {
  const [first, ...rest] = news;
  if (!first) throw new Error('nothing to merge');
  return rest.reduce<Message>(merge, merge(undefined, first));
}

function messageWith(...statuses: DeliveryStatus[]): Message {
  const history = statuses.map((status, at) => ({
    status,
    at,
    receivedAt: at,
    rawStatus: null,
    failure: null,
  }));
  return { business: 'acme', id: 'm', details: null, history };
}

test('merging is commutative', () => {
  fc.assert(fc.property(anyMessage, anyMessage, (a, b) => void expect(merge(a, b)).toEqual(merge(b, a))));
});

test('merging is associative', () => {
  fc.assert(
    fc.property(
      anyMessage,
      anyMessage,
      anyMessage,
      (a, b, c) => void expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c))),
    ),
  );
});

test('merging is idempotent, and says so by giving the same message back', () => {
  fc.assert(fc.property(anyMessage, (a) => void expect(merge(a, a)).toBe(a)));
});

test('any order and any repetition of the same news ends in the same message', () => {
  const newsTwice = fc
    .array(anyNews(), { minLength: 1, maxLength: 8 })
    .chain((news) =>
      fc.tuple(fc.constant(news), fc.shuffledSubarray([...news, ...news], { minLength: news.length * 2 })),
    );
  fc.assert(
    fc.property(newsTwice, ([news, shuffled]) => void expect(mergeAll(shuffled)).toEqual(mergeAll(news))),
  );
});

test('the status never goes back and the revision never shrinks', () => {
  fc.assert(
    fc.property(anyMessage, anyNews(), (known, news) => {
      const merged = merge(known, news);
      expect(rank(merged)).toBeGreaterThanOrEqual(rank(known));
      expect(revisionOf(merged)).toBeGreaterThanOrEqual(revisionOf(known));
    }),
  );
});

function rank(message: Message): number {
  return deliveryStatuses.indexOf(statusOf(message));
}

test('a history holds each status once, in the order of time', () => {
  fc.assert(
    fc.property(anyMessage, ({ history }) => {
      expect(new Set(history.map((event) => event.status)).size).toBe(history.length);
      expect(history.map((event) => event.at)).toEqual(
        history.map((event) => event.at).sort((a, b) => a - b),
      );
    }),
  );
});

test.each([
  [['ACCEPTED'], 'ACCEPTED'],
  [['SENT', 'ACCEPTED'], 'SENT'],
  [['ACCEPTED', 'FAILED', 'SENT'], 'FAILED'],
  [['DELIVERED', 'FAILED'], 'DELIVERED'],
  [['READ', 'DELIVERED', 'FAILED', 'SENT', 'ACCEPTED'], 'READ'],
] as const)('of %j the status is %s', (statuses, expected) => {
  expect(statusOf(messageWith(...statuses))).toBe(expected);
});

test('the failure shows while the message stands at FAILED, and no longer once it was delivered after all', () => {
  const failure = { code: '131026', reason: 'not on WhatsApp' };
  const failed = messageWith('FAILED');
  const news = { ...failed, history: failed.history.map((event) => ({ ...event, failure })) };
  expect(failureOf(news)).toEqual(failure);
  expect(failureOf(merge(news, messageWith('DELIVERED')))).toBeNull();
});

test('only READ is final', () => {
  expect(deliveryStatuses.filter((status) => isFinal(messageWith(status)))).toEqual(['READ']);
});

test('updatedAt is when the last news came', () => {
  expect(updatedAtOf(messageWith('ACCEPTED', 'SENT', 'READ'))).toBe(2);
});
