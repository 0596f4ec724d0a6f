import { expect, test } from 'vitest';
import { createMessaging, type Sent } from '../src/messaging.ts';
import type { Pingup } from '../src/pingup/port.ts';
import { createSendLimit } from '../src/send-limit.ts';
import { business } from './store/samples.ts';
import { openTestStore } from './store/sqlite-test-store.ts';

/** The flow before a Pingup that takes everything, with a limit whose clock is set by hand. */
async function startFlow(perMinute: number) {
  await using parts = new AsyncDisposableStack();
  const { store } = parts.use(await openTestStore());
  const clock = { ms: 0 };
  const taken: string[] = [];
  const pingup: Pick<Pingup, 'sendText'> = {
    sendText: async ({ client }) => `id-${taken.push(client ?? '')}`,
  };
  const messaging = createMessaging({
    store,
    pingup: pingup as Pingup,
    sendLimit: createSendLimit(perMinute, () => clock.ms),
    reread: () => ({ news: [], accepted: 0, faults: [] }),
    timeoutMs: 10_000,
    idempotencyHours: 24,
    keepTexts: true,
  });
  const send = (caller: string, idempotencyKey?: string) =>
    messaging.send(
      { client: caller, textMessage: 'Hello', idempotencyKey },
      { business, traceparent: '', caller },
    );
  const all = parts.move();
  return { store, clock, taken, send, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const refused = {
  code: 'TOO_MANY_REQUESTS',
  retryable: true,
  retryAfterSeconds: expect.toSatisfy((seconds) => seconds >= 1 && seconds <= 65),
};

async function outcomeOf(sending: Promise<Sent>) {
  return sending.then(
    ({ message, replayed }) => ({ id: message.id, replayed }),
    ({ code }) => code as string,
  );
}

test('beyond the limit nothing is sent and nothing is written down; other callers are not affected', async () => {
  await using flow = await startFlow(3);
  for (let sent = 0; sent < 3; sent += 1) await flow.send('crm');
  for (const key of [undefined, 'k1', 'k2'])
    await expect(flow.send('crm', key)).rejects.toMatchObject(refused);
  expect(flow.taken).toHaveLength(3);
  expect((await flow.store.sends({ business, first: 10 })).entries).toHaveLength(3);
  await flow.send('shop');
  expect(flow.taken).toEqual(['crm', 'crm', 'crm', 'shop']);
});

test('a refused send has not used its idempotency key up: after the wait it is sent', async () => {
  await using flow = await startFlow(1);
  await flow.send('crm', 'k1');
  const error: unknown = await flow.send('crm', 'k2').catch((reason: unknown) => reason);
  expect(error).toMatchObject(refused);
  const { retryAfterSeconds } = error as { retryAfterSeconds: number };
  flow.clock.ms += retryAfterSeconds * 1000;
  expect(await outcomeOf(flow.send('crm', 'k2'))).toEqual({ id: 'id-2', replayed: false });
});

test('a replay is not counted, and is answered beyond the limit with the first result', async () => {
  await using flow = await startFlow(2);
  const first = await outcomeOf(flow.send('crm', 'k1'));
  for (let repeat = 0; repeat < 5; repeat += 1)
    expect(await outcomeOf(flow.send('crm', 'k1'))).toEqual({ ...Object(first), replayed: true });
  await flow.send('crm', 'k2');
  expect(await outcomeOf(flow.send('crm', 'k3'))).toBe('TOO_MANY_REQUESTS');
  expect(await outcomeOf(flow.send('crm', 'k1'))).toEqual({ id: 'id-1', replayed: true });
  expect(await outcomeOf(flow.send('crm', 'k2'))).toEqual({ id: 'id-2', replayed: true });
  expect(flow.taken).toHaveLength(2);
});

test('of many at once no more than the limit is sent, and the keys of the others are free', async () => {
  await using flow = await startFlow(3);
  const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
  const outcomes = await Promise.all(keys.map((key) => outcomeOf(flow.send('crm', key))));
  const free = keys.filter((_, at) => outcomes[at] === 'TOO_MANY_REQUESTS');
  expect([flow.taken.length, free.length]).toEqual([3, 17]);
  for (const key of free) {
    flow.clock.ms += 65_000;
    expect(await outcomeOf(flow.send('crm', key))).toMatchObject({ replayed: false });
  }
});

test('of many at once with one key, one is sent and counted, and all are answered with it', async () => {
  await using flow = await startFlow(1);
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(flow.send('crm', 'k1'))));
  expect(
    outcomes.filter((outcome) => JSON.stringify(outcome) === '{"id":"id-1","replayed":false}'),
  ).toHaveLength(1);
  expect(
    outcomes.filter((outcome) => JSON.stringify(outcome) === '{"id":"id-1","replayed":true}'),
  ).toHaveLength(19);
  expect(flow.taken).toHaveLength(1);
});

test('what breaks a rule counts nothing', async () => {
  await using flow = await startFlow(1);
  for (let tried = 0; tried < 3; tried += 1)
    expect(await outcomeOf(flow.send('crm', 'no key'))).toBe('BAD_USER_INPUT');
  expect(await outcomeOf(flow.send('crm'))).toMatchObject({ replayed: false });
});
