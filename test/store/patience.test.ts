import { expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { createPatience } from '../../src/store/patience.ts';
import { timeToRefuse } from './contract/test-store.ts';

const forever = () => new Promise<never>(() => undefined);

test('a call that is not answered is given up in time, also behind others', async () => {
  const patience = createPatience({ patienceMs: 100 });
  const first = timeToRefuse(patience.call(forever));
  await Promise.race([first, patience.call(async () => undefined)]);
  const second = timeToRefuse(patience.call(forever));
  expect(patience.pending).toBe(2);
  for (const time of await Promise.all([first, second])) expect(time).toBeGreaterThanOrEqual(50);
  expect(patience.pending).toBe(0);
  await patience.close();
});

test('one call more than may wait is refused at once', async () => {
  const patience = createPatience({ maxPending: 2 });
  const answer = Promise.withResolvers<string>();
  const calls = [patience.call(() => answer.promise), patience.call(() => answer.promise)];
  expect(await timeToRefuse(patience.call(forever))).toBeLessThan(1_000);
  answer.resolve('done');
  expect(await Promise.all(calls)).toEqual(['done', 'done']);
  expect(await patience.call(async () => 'again')).toBe('again');
  await patience.close();
});

test('a failure is STORE_UNAVAILABLE with its cause, and an error with a code stays what it is', async () => {
  const patience = createPatience();
  const cause = new Error('no');
  await expect(patience.call(() => Promise.reject(cause))).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    cause,
  });
  const error = new GatewayError('BAD_USER_INPUT', 'wrong');
  await expect(patience.call(() => Promise.reject(error))).rejects.toBe(error);
  await patience.close();
});

test('closing waits for what was begun, and refuses what comes later', async () => {
  const patience = createPatience();
  const answer = Promise.withResolvers<void>();
  const call = patience.call(() => answer.promise);
  const closed = patience.close();
  await timeToRefuse(patience.call(async () => undefined));
  answer.resolve();
  await Promise.all([call, closed]);
});
