import { expect, test } from 'vitest';
import { statusOf } from '../../../src/message.ts';
import type { Attempt } from '../../../src/send.ts';
import type { Store } from '../../../src/store/port.ts';
import { responsiveTime } from '../../support/responsive-time.ts';
import { accepted, beginSend, business, key, newSend, news, someTime } from '../samples.ts';
import { collect, type Open, servesAgain, timeToRefuse, watchKnown } from './test-store.ts';

export function trouble(open: Open): void {
  const writes: Record<string, (store: Store, attempt: Attempt) => Promise<unknown>> = {
    begin: (store) => store.begin(newSend()),
    accept: (store, attempt) => store.accept(attempt, accepted('m1')),
    fail: (store, attempt) => store.fail(business, attempt, 'PINGUP_UNAVAILABLE', someTime),
    settleLost: (store) => store.settleLost(someTime + 1, someTime),
    record: (store) => store.record([news('m1', 'SENT')]),
    release: (store) => store.release(business, '1', [news('m1', 'SENT')]),
    forget: (store) => store.forget({ business, client: 'jon', clientPhone: null }),
    prune: (store) => store.prune(someTime),
    check: (store) => store.check(),
  };

  test.each(Object.entries(writes))(
    '%s rejects within 2 s while the store is broken, and serves again after',
    async (_, write) => {
      await using t = await open();
      const attempt = await beginSend(t.store);
      await t.breakDown();
      expect(await timeToRefuse(write(t.store, attempt))).toBeLessThan(2_000);
      await t.repair();
      await servesAgain(t.store);
      await write(t.store, attempt);
    },
  );

  test('everybody who waits is refused in time, also who comes later', async () => {
    await using t = await open();
    await t.breakDown();
    const first = Array.from({ length: 100 }, () => timeToRefuse(t.store.check()));
    await Promise.race(first);
    const second = Array.from({ length: 100 }, () => timeToRefuse(t.store.check()));
    expect(Math.max(...(await Promise.all([...first, ...second])))).toBeLessThan(2_000);
    await t.repair();
    await servesAgain(t.store);
  });

  test('reads answer, or reject within 2 s, while the store is broken', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    await t.breakDown();
    const write = timeToRefuse(t.store.record([news('m1', 'READ')]));
    const reads = [t.store.find(key('m1')), t.store.list({ business, first: 1 }), t.store.watch(key('m1'))];
    expect(await responsiveTime(Promise.allSettled(reads))).toBeLessThan(2_000);
    for (const read of await Promise.allSettled(reads)) {
      if (read.status === 'rejected') expect(read.reason).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    await write;
    await t.repair();
  });

  test('a watch lives through it, and sees what is written after', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const states = await watchKnown(t.store, 'm1');
    await states.next();
    await t.breakDown();
    await timeToRefuse(t.store.record([news('m1', 'READ')]));
    await t.repair();
    await servesAgain(t.store);
    await t.store.record([news('m1', 'READ')]);
    expect((await collect(states)).map(statusOf)).toEqual(['READ']);
  });
}
