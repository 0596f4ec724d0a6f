import { expect, test } from 'vitest';
import { accepted, beginSend, business, keyedSend, someTime } from '../samples.ts';
import type { Open } from './test-store.ts';

export function findingRepeats(open: Open): void {
  test('findRepeat tells what begin would tell of an earlier send, and begins none', async () => {
    await using t = await open({});
    const { store } = t;
    await store.accept(await beginSend(store, keyedSend('accepted')), accepted('m1'));
    await store.fail(business, await beginSend(store, keyedSend('rejected')), 'PINGUP_REJECTED', someTime);
    await store.fail(business, await beginSend(store, keyedSend('free')), 'PINGUP_UNAVAILABLE', someTime);
    await beginSend(store, keyedSend('running'));
    const others = [
      keyedSend('unknown'),
      keyedSend('running', { fingerprint: 'another' }),
      keyedSend('accepted', { validSince: Number.MAX_SAFE_INTEGER }),
    ];
    const sends = [...['accepted', 'rejected', 'free', 'running'].map((key) => keyedSend(key)), ...others];
    const before = await store.sends({ business, first: 100 });
    const found = await Promise.all(
      sends.map(({ idempotency }) => idempotency && store.findRepeat(business, idempotency)),
    );
    expect(found.map((repeat) => repeat?.kind)).toEqual([
      'accepted',
      'failed',
      undefined,
      'running',
      undefined,
      'reused',
      undefined,
    ]);
    expect(await store.sends({ business, first: 100 })).toEqual(before);
    for (const [at, send] of sends.entries()) {
      const begun = await store.begin(send);
      expect(found[at]).toEqual(begun.kind === 'begun' ? undefined : begun);
    }
  });
}
