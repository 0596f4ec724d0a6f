import { expect, test } from 'vitest';
import { createCourier } from '../../src/sandbox/courier.ts';
import { startReceiver } from './receiver.ts';

const callback = { message_id: '7', status: 'sent', timestamp: '2026-01-01T00:00:00.000Z' } as const;

interface Line {
  readonly text: string | undefined;
  readonly fields: object;
}

/** A courier in a hurry, and what it warned of. */
function createTestCourier() {
  const warnings: Line[] = [];
  const warn = (fields: object, text?: string) => void warnings.push({ text, fields });
  return { warnings, ...createCourier({ retryMs: 1, log: { debug: () => undefined, warn } }) };
}

test('a callback is a JSON POST', async () => {
  await using receiver = await startReceiver();
  await using courier = createTestCourier();
  await courier.deliver(receiver.url, callback);
  expect(receiver.callbacks).toEqual([callback]);
  expect(receiver.requests).toMatchObject([
    { method: 'POST', url: '/callbacks', headers: { 'content-type': 'application/json' } },
  ]);
});

test('a callback that was answered 5xx, or not at all, comes again until it is taken', async () => {
  await using receiver = await startReceiver([503, 500, 0]);
  await using courier = createTestCourier();
  await courier.deliver(receiver.url, callback);
  expect(receiver.callbacks).toEqual(Array(4).fill(callback));
  expect(courier.warnings).toEqual([]);
});

test('a callback that is never taken is given up after 8 tries, and logged', async () => {
  await using receiver = await startReceiver(Array(20).fill(503));
  await using courier = createTestCourier();
  await courier.deliver(receiver.url, callback);
  expect(receiver.callbacks).toHaveLength(8);
  expect(courier.warnings).toMatchObject([{ fields: { messageId: '7', callback: 'sent', tries: 8 } }]);
});

test('a callback that is refused with 4xx is given up at once, and logged', async () => {
  await using receiver = await startReceiver([422]);
  await using courier = createTestCourier();
  await courier.deliver(receiver.url, callback);
  expect(receiver.callbacks).toHaveLength(1);
  expect(courier.warnings).toMatchObject([{ fields: { messageId: '7', answered: 422 } }]);
});

test('a callback to nobody is given up', async () => {
  const receiver = await startReceiver();
  await receiver[Symbol.asyncDispose]();
  await using courier = createTestCourier();
  await courier.deliver(receiver.url, callback);
  expect(courier.warnings).toHaveLength(1);
});

test('a disposed courier ends a delivery that waits for its next try', async () => {
  await using receiver = await startReceiver(Array(20).fill(503));
  const courier = createCourier({ retryMs: 60_000, log: undefined });
  const delivery = courier.deliver(receiver.url, callback).catch((error: Error) => error.name);
  await receiver.received(1);
  await courier[Symbol.asyncDispose]();
  expect(await delivery).toBe('AbortError');
});
