import { expect, test } from 'vitest';
import { accepted, beginSend, business, key, newSend, news, someTime } from '../samples.ts';
import { collect, idsOf, type Open, watchKnown } from './test-store.ts';

export function closing(open: Open): void {
  test('what was begun is finished', async () => {
    await using t = await open();
    const writes = Array.from({ length: 100 }, (_, index) => t.store.record([news(`m${index}`, 'SENT')]));
    await t.store[Symbol.asyncDispose]();
    await Promise.all(writes);
    await t.reopen();
    expect(await idsOf(t.store, { first: 100 })).toHaveLength(100);
  });

  test('later calls reject with STORE_UNAVAILABLE', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store);
    await t.store[Symbol.asyncDispose]();
    const later = [
      t.store.begin(newSend()),
      t.store.accept(attempt, accepted('m1')),
      t.store.fail(business, attempt, 'PINGUP_REJECTED', someTime),
      t.store.settleLost(someTime, someTime),
      t.store.sends({ business, first: 1 }),
      t.store.record([]),
      t.store.find(key('m1')),
      t.store.list({ business, first: 1 }),
      t.store.watch(key('m1')),
      t.store.prune(someTime),
      t.store.check(),
    ];
    for (const call of later) await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(t.store.watching).toBe(0);
  });

  test('watches end, those whose reader waits and those whose reader does not', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const waiting = collect(await watchKnown(t.store, 'm1'));
    const idle = await watchKnown(t.store, 'm1');
    await idle.next();
    await t.store[Symbol.asyncDispose]();
    expect(await waiting).toEqual([news('m1', 'SENT')]);
    expect(await idle.next()).toEqual({ done: true, value: undefined });
    expect(t.store.watching).toBe(0);
  });

  test('closing twice is closing once', async () => {
    await using t = await open();
    await Promise.all([t.store[Symbol.asyncDispose](), t.store[Symbol.asyncDispose]()]);
    await t.store[Symbol.asyncDispose]();
  });
}
