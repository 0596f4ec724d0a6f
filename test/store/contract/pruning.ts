import { expect, test } from 'vitest';
import { news, someTime } from '../samples.ts';
import { idsOf, type Open } from './test-store.ts';

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
    await t.store.find('m1').finally(() => order.push('find'));
    expect(await pruned).toBe(1_700);
    expect(order).toEqual(['find', 'prune']);
    expect(await t.store.list({ first: 9 })).toEqual({ entries: [], hasMore: false });
  });

  test('a message that comes back after it was deleted is a new one', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT', someTime)]);
    await t.store.prune(someTime + 1);
    await t.store.record([news('m1', 'READ')]);
    expect(await t.store.find('m1')).toEqual(news('m1', 'READ'));
  });
}
