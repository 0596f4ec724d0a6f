import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { type CallQueueOptions, createCallQueue } from '../../src/pingup/call-queue.ts';

const longMs = 20_000;

function queueOf(options: Partial<CallQueueOptions>) {
  return createCallQueue({ concurrency: 1, maxWaiting: 1_000, perSecond: null, ...options });
}

/** A call that runs until it is told what to return. */
function held() {
  return Promise.withResolvers<string>();
}

async function codeOf(call: Promise<string>): Promise<unknown> {
  return call.catch((error: GatewayError) => [error.code, error.retryAfterSeconds]);
}

test('no more than so many run at once, in the order in which they came', async () => {
  const counts = fc.integer({ min: 1, max: 20 });
  await fc.assert(
    fc.asyncProperty(counts, fc.array(counts, { maxLength: 60 }), async (concurrency, turns) => {
      const queue = queueOf({ concurrency });
      const begun: number[] = [];
      let running = 0;
      let most = 0;
      const calls = turns.map((count, index) =>
        queue.run(async () => {
          begun.push(index);
          most = Math.max(most, ++running);
          for (let turn = 0; turn < count % 3; turn += 1) await nextTurn();
          running -= 1;
          return String(index);
        }, longMs),
      );
      expect(await Promise.all(calls)).toEqual(turns.map((_, index) => String(index)));
      expect(begun).toEqual(turns.map((_, index) => index));
      expect(most).toBeLessThanOrEqual(concurrency);
      expect([queue.running, queue.waiting]).toEqual([0, 0]);
    }),
    { numRuns: 50 },
  );
});

test('where too many wait, the next is turned away at once and never made', async () => {
  const queue = queueOf({ concurrency: 2, maxWaiting: 3 });
  const { promise, resolve } = held();
  const made: number[] = [];
  const calls = Array.from({ length: 8 }, (_, index) =>
    codeOf(queue.run(() => promise.finally(() => made.push(index)), longMs)),
  );
  expect([queue.running, queue.waiting]).toEqual([2, 3]);
  const turnedAway = await Promise.all(calls.slice(5));
  expect(turnedAway).toEqual(Array(3).fill(['PINGUP_UNAVAILABLE', 1]));
  resolve('done');
  expect(await Promise.all(calls.slice(0, 5))).toEqual(Array(5).fill('done'));
  expect(made).toEqual([0, 1, 2, 3, 4]);
});

test('what has waited too long is never made, and leaves its place to others', async () => {
  const queue = queueOf({ maxWaiting: 1 });
  const { promise, resolve } = held();
  const first = queue.run(() => promise, 1);
  const late = queue.run(() => Promise.reject(new Error('made')), 1);
  expect(await codeOf(late)).toEqual(['PINGUP_UNAVAILABLE', 1]);
  expect(queue.waiting).toBe(0);
  const next = queue.run(async () => 'next', longMs);
  resolve('first');
  expect(await Promise.all([first, next])).toEqual(['first', 'next']);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('those that wait can be turned away; those that run go on', async () => {
  const queue = queueOf({});
  const { promise, resolve } = held();
  const first = queue.run(() => promise, longMs);
  const waiting = Array.from({ length: 10 }, () => codeOf(queue.run(() => promise, longMs)));
  queue.turnAway(new GatewayError('PINGUP_RATE_LIMITED', '', { retryAfterSeconds: 7 }));
  expect(await Promise.all(waiting)).toEqual(Array(10).fill(['PINGUP_RATE_LIMITED', 7]));
  resolve('first');
  expect(await first).toBe('first');
  expect(await queue.run(async () => 'next', longMs)).toBe('next');
});

test('what fails leaves its place to the next', async () => {
  const queue = queueOf({});
  const error = new Error('failed');
  const calls = [queue.run(() => Promise.reject(error), longMs), queue.run(async () => 'next', longMs)];
  expect(await Promise.allSettled(calls)).toEqual([
    { status: 'rejected', reason: error },
    { status: 'fulfilled', value: 'next' },
  ]);
});

describe('with a rate', () => {
  test('no more than so many begin in any second, and all do', async () => {
    const perSecond = 20;
    const queue = queueOf({ concurrency: 100, perSecond });
    const begun: number[] = [];
    const calls = Array.from({ length: 50 }, () =>
      queue.run(async () => String(begun.push(Date.now())), longMs),
    );
    await Promise.all(calls);
    const spans = begun.slice(perSecond).map((at, index) => at - (begun[index] ?? 0));
    expect(spans).toHaveLength(30);
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(1_000);
  });

  test('the line is bounded as well', async () => {
    const queue = queueOf({ concurrency: 100, maxWaiting: 5, perSecond: 10 });
    const calls = Array.from({ length: 20 }, () => codeOf(queue.run(async () => 'made', longMs)));
    expect(await Promise.all(calls)).toEqual([
      ...Array(15).fill('made'),
      ...Array(5).fill(['PINGUP_UNAVAILABLE', 1]),
    ]);
  });
});
