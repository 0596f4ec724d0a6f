import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GatewayErrorCode } from '../../../src/errors.ts';
import { outcomeOfFailure, type SendOutcome } from '../../../src/send.ts';
import { accepted, beginSend, business, key, keyedSend, newSend, news, someTime } from '../samples.ts';
import type { Open } from './test-store.ts';

/** Idempotency keys: what a second `begin` with the key of the first is told. */
export function repeating(open: Open): void {
  const unknown = { kind: 'failed', code: 'SEND_OUTCOME_UNKNOWN' };

  test('sends without a key are all begun', async () => {
    await using t = await open();
    const begun = await Promise.all([t.store.begin(newSend()), t.store.begin(newSend())]);
    expect(begun.map(({ kind }) => kind)).toEqual(['begun', 'begun']);
  });

  test('of fifty at once with one key, one is begun, and the others are told that it runs', async () => {
    await using t = await open();
    const begun = await Promise.all(Array.from({ length: 50 }, () => t.store.begin(keyedSend('k'))));
    expect(begun.filter(({ kind }) => kind === 'begun')).toHaveLength(1);
    expect(begun.filter(({ kind }) => kind === 'running')).toHaveLength(49);
  });

  test('after an accept, the message as it is by then', async () => {
    await using t = await open();
    await t.store.accept(await beginSend(t.store, keyedSend('k')), accepted('m1'));
    await t.store.record([news('m1', 'READ')]);
    const message = await t.store.find(key('m1'));
    expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'accepted', message });
  });

  test('after an accept whose message was deleted, NOT_FOUND, and the key is kept', async () => {
    await using t = await open();
    await t.store.accept(await beginSend(t.store, keyedSend('k', { at: someTime + 10 })), accepted('m1'));
    await t.store.prune(someTime + 5);
    expect(await t.store.find(key('m1'))).toBeUndefined();
    for (const _ of 'twice') {
      expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'failed', code: 'NOT_FOUND' });
    }
  });

  test.each<GatewayErrorCode>(['PINGUP_REJECTED', 'SEND_OUTCOME_UNKNOWN'])(
    'after %s, the same again, each time',
    async (code) => {
      await using t = await open();
      await t.store.fail(business, await beginSend(t.store, keyedSend('k')), code, someTime);
      for (const _ of 'twice') expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'failed', code });
    },
  );

  test.each<GatewayErrorCode>(['PINGUP_UNAVAILABLE', 'PINGUP_RATE_LIMITED', 'STORE_UNAVAILABLE'])(
    'after %s the key is free, also for other arguments',
    async (code) => {
      await using t = await open();
      for (const fingerprint of ['f', 'f', 'other']) {
        const attempt = await beginSend(t.store, keyedSend('k', { fingerprint }));
        await t.store.fail(business, attempt, code, someTime);
      }
    },
  );

  test('other arguments are told so, whatever became of the first', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store, keyedSend('k'));
    const other = keyedSend('k', { fingerprint: 'other' });
    expect(await t.store.begin(other)).toEqual({ kind: 'reused' });
    await t.store.accept(attempt, accepted('m1'));
    expect(await t.store.begin(other)).toEqual({ kind: 'reused' });
  });

  test('a key belongs to one business, and differs from another in every character', async () => {
    await using t = await open();
    for (const business of ['acme', 'Acme', 'other']) {
      for (const key of ['k', 'K', 'k!', '1', '01']) await beginSend(t.store, keyedSend(key, { business }));
    }
  });

  test('a key that was first used before validSince is free, and from that instant on is not', async () => {
    await using t = await open();
    await beginSend(t.store, keyedSend('k', { at: someTime }));
    expect(await t.store.begin(keyedSend('k', { validSince: someTime }))).toEqual({ kind: 'running' });
    const later = keyedSend('k', { at: someTime + 9, validSince: someTime + 1, fingerprint: 'other' });
    await beginSend(t.store, later);
    expect(await t.store.begin(later)).toEqual({ kind: 'running' });
  });

  test('settling a send whose key has passed on does not touch the new holder', async () => {
    await using t = await open();
    const old = await beginSend(t.store, keyedSend('k'));
    await beginSend(t.store, keyedSend('k', { at: someTime + 9, validSince: someTime + 1 }));
    await t.store.fail(business, old, 'PINGUP_UNAVAILABLE', someTime);
    expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'running' });
  });

  test('a send that was lost keeps its key, and a late accept still counts', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store, keyedSend('k'));
    await t.store.settleLost(someTime + 1, someTime + 2);
    expect(await t.store.begin(keyedSend('k'))).toEqual(unknown);
    const message = await t.store.accept(attempt, accepted('m1'));
    expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'accepted', message });
  });

  test('no failure takes an accept back', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store, keyedSend('k'));
    const message = await t.store.accept(attempt, accepted('m1'));
    await t.store.fail(business, attempt, 'PINGUP_UNAVAILABLE', someTime);
    expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'accepted', message });
  });

  test('keys and what they stand for are there after the store is opened again', async () => {
    await using t = await open();
    await t.store.accept(await beginSend(t.store, keyedSend('accepted')), accepted('m1'));
    await t.store.fail(
      business,
      await beginSend(t.store, keyedSend('rejected')),
      'PINGUP_REJECTED',
      someTime,
    );
    await t.store.fail(business, await beginSend(t.store, keyedSend('free')), 'PINGUP_UNAVAILABLE', someTime);
    await t.reopen();
    const message = accepted('m1');
    expect(await t.store.begin(keyedSend('accepted'))).toEqual({ kind: 'accepted', message });
    const rejected = { kind: 'failed', code: 'PINGUP_REJECTED' };
    expect(await t.store.begin(keyedSend('rejected'))).toEqual(rejected);
    await beginSend(t.store, keyedSend('free'));
  });

  test('whatever happens to a send, a repeat is begun only after NOT_SENT', async () => {
    await using t = await open();
    const codes = ['PINGUP_UNAVAILABLE', 'PINGUP_REJECTED', 'SEND_OUTCOME_UNKNOWN'] as const;
    const event = fc.constantFrom('accept', 'lose', ...codes);
    const told = {
      PENDING: 'running',
      ACCEPTED: 'accepted',
      NOT_SENT: 'begun',
      REJECTED: 'failed',
      UNKNOWN: 'failed',
    };
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
        const key = `k${count++}`;
        let attempt = await beginSend(t.store, keyedSend(key));
        let outcome: SendOutcome = 'PENDING';
        for (const next of events) {
          if (next === 'accept') await t.store.accept(attempt, accepted(`m-${key}`));
          else if (next === 'lose') await t.store.settleLost(someTime + 1, someTime);
          else await t.store.fail(business, attempt, next, someTime);
          outcome = outcomeAfter(outcome, next);
          const begun = await t.store.begin(keyedSend(key));
          expect(begun.kind).toBe(told[outcome]);
          if (begun.kind !== 'begun') continue;
          attempt = begun.attempt;
          outcome = 'PENDING';
        }
      }),
      { numRuns: 60 },
    );
  });
}

function outcomeAfter(before: SendOutcome, event: 'accept' | 'lose' | GatewayErrorCode): SendOutcome {
  if (before === 'ACCEPTED' || event === 'accept') return 'ACCEPTED';
  if (event === 'lose') return before === 'PENDING' ? 'UNKNOWN' : before;
  return outcomeOfFailure(event);
}
