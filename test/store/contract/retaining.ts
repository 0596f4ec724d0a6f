import { expect, test } from 'vitest';
import { beginSend, business, newSend, news, someTime } from '../samples.ts';
import type { Open } from './test-store.ts';

/** What retention does to sends and to the quarantine, and a clock that was wrong to it. */
export function retaining(open: Open): void {
  test('sends and quarantined callbacks that were last touched before the instant go, and no others', async () => {
    await using t = await open({});
    await beginSend(t.store, newSend({ at: 1 }));
    await t.store.fail(business, await beginSend(t.store, newSend({ at: 2 })), 'PINGUP_REJECTED', 30);
    await Promise.all(Array.from({ length: 700 }, () => beginSend(t.store, newSend({ at: 3 }))));
    await t.store.record([], [{ business, raw: 'older', reason: 'r', receivedAt: 1 }]);
    await t.store.record([], [{ business, raw: 'new', reason: 'r', receivedAt: 30 }]);
    expect(await t.store.prune(30)).toBe(0);
    const { entries: sends } = await t.store.sends({ business, first: 9 });
    expect(sends.map(({ send }) => send.begunAt)).toEqual([2]);
    const { entries: quarantined } = await t.store.quarantined({ business, first: 9 });
    expect(quarantined.map(({ callback }) => callback.rawLength)).toEqual([3]);
  });

  test('retention goes on past a row whose clock was wrong', async () => {
    await using t = await open({});
    await t.store.record([news('future', 'SENT', someTime * 2)]);
    await t.store.record(Array.from({ length: 600 }, (_, index) => news(`m${index}`, 'SENT', someTime)));
    expect(await t.store.prune(someTime + 1)).toBe(600);
  });
}
