import { expect, test } from 'vitest';
import { accepted, business, key, news, someTime } from '../samples.ts';
import { collect, idsOf, type Open, watchKnown } from './test-store.ts';

export function pruning(open: Open): void {
  test('what was last touched before the instant is deleted, and nothing else', async () => {
    await using t = await open();
    await t.store.record([news('old', 'SENT', someTime)]);
    await t.store.record([news('touched', 'SENT', someTime)]);
    await t.store.record([news('touched', 'READ', someTime + 10)]);
    await t.store.record([news('edge', 'SENT', someTime + 10)]);
    expect(await t.store.prune(someTime + 10)).toBe(1);
    expect(await idsOf(t.store, { first: 9 })).toEqual(['edge', 'touched']);
    expect(await t.store.prune(someTime + 10)).toBe(0);
  });

  test('many are deleted, and other calls are served in between', async () => {
    await using t = await open();
    await t.store.record(Array.from({ length: 1_700 }, (_, index) => news(`m${index}`, 'SENT')));
    const order: string[] = [];
    const pruned = t.store.prune(someTime + 1_000_000).finally(() => order.push('prune'));
    await t.store.find(key('m1')).finally(() => order.push('find'));
    expect(await pruned).toBe(1_700);
    expect(order).toEqual(['find', 'prune']);
    expect(await t.store.list({ business, first: 9 })).toEqual({ entries: [], hasMore: false });
  });

  test('a message that comes back after it was deleted is a new one', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT', someTime)]);
    await t.store.prune(someTime + 1);
    await t.store.record([news('m1', 'READ')]);
    expect(await t.store.find(key('m1'))).toEqual(news('m1', 'READ'));
  });

  test('a message that is still to go out is kept, until the instant it was scheduled for is past too', async () => {
    await using t = await open();
    const scheduledFor = someTime + 1_000;
    await t.store.record([accepted('later', { scheduledFor }), accepted('at once')]);
    await t.store.record([accepted('changed', { scheduledFor }), news('changed', 'SENT', someTime + 9)]);
    expect(await t.store.prune(scheduledFor)).toBe(1);
    expect(await idsOf(t.store, { first: 9 })).toEqual(['changed', 'later']);
    expect(await t.store.prune(scheduledFor + 1)).toBe(2);
  });

  test('the watches of a message that is deleted end, and no others', async () => {
    await using t = await open();
    await t.store.record([news('old', 'SENT', someTime), news('new', 'SENT', someTime + 10)]);
    const [waiting, idle, other] = await Promise.all(
      ['old', 'old', 'new'].map((id) => watchKnown(t.store, id)),
    );
    await waiting?.next();
    const next = waiting?.next();
    await t.store.prune(someTime + 10);
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await collect(idle)).toEqual([]);
    await t.store.record([news('new', 'READ')]);
    expect((await collect(other)).at(-1)).toEqual(await t.store.find(key('new')));
    expect(t.store.watching).toBe(0);
  });

  test('a watch of a message that has come back since it was deleted sees the new one', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT', someTime)]);
    const pruned = t.store.prune(someTime + 1);
    await new Promise(setImmediate);
    const back = t.store.record([news('m1', 'DELIVERED', someTime + 9)]);
    const states = await watchKnown(t.store, 'm1');
    await t.store.record([news('m1', 'READ', someTime + 9)]);
    expect((await collect(states)).at(-1)).toEqual(await t.store.find(key('m1')));
    await Promise.all([pruned, back]);
  });
}
