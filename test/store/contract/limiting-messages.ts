import { expect, test } from 'vitest';
import { CallbackRoomError } from '../../../src/callback-room-error.ts';
import { statusOf } from '../../../src/message.ts';
import { accepted, beginSend, business, key, news } from '../samples.ts';
import { watchEvents } from './limiting-quarantine.ts';
import { collect, idsOf, type Open, watchKnown } from './test-store.ts';

const hourMs = 3_600_000;
const limits = { callbackOnlyMessages: 3 };

export function limitingMessages(open: Open): void {
  const now = Date.now();
  const old = (id: string, hours: number) => news(id, 'SENT', now - hours * hourMs);

  test('beyond the limit the oldest goes that is older than a day, whose watch ends, and it is counted', async () => {
    const { events, lines, ...watched } = watchEvents();
    await using t = await open({ ...watched, limits });
    for (const message of [old('young', 1), old('older', 26), old('oldest', 48)])
      await t.store.record([message]);
    const states = await watchKnown(t.store, 'oldest');
    await states.next();
    await t.store.record([news('new', 'SENT', now)]);
    expect(await collect(states)).toEqual([]);
    expect(await idsOf(t.store, { first: 9 })).toEqual(['new', 'older', 'young']);
    expect(events).toEqual([['callbackOnlyDropped', 1]]);
    expect(lines).toMatchObject([{ business }]);
  });

  test('if none is older than a day, a new one is refused, and all else of that callback is recorded', async () => {
    const { events, ...watched } = watchEvents();
    await using t = await open({ ...watched, limits });
    await t.store.record(['1', '2', '3'].map((id) => old(id, 23)));
    const quarantined = [{ business, raw: 'odd', reason: 'r', receivedAt: now }];
    const refused = t.store.record([news('4', 'SENT', now), news('2', 'READ')], quarantined);
    await expect(refused).rejects.toThrow(CallbackRoomError);
    await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await t.store.find(key('4'))).toBeUndefined();
    expect(statusOf(await known('2'))).toBe('READ');
    expect((await t.store.quarantined({ business, first: 9 })).entries).toHaveLength(1);
    expect(events).toEqual([['callbackOnlyRefused', 1]]);

    async function known(id: string) {
      const message = await t.store.find(key(id));
      if (!message) throw new Error(`${id} is unknown.`);
      return message;
    }
  });

  test('one business at its limit gets nothing of another refused', async () => {
    await using t = await open({ limits });
    await t.store.record(['1', '2', '3'].map((id) => old(id, 1)));
    await t.store.record([{ ...news('4', 'SENT', now), business: 'other' }]);
    await expect(t.store.record([news('4', 'SENT', now)])).rejects.toThrow(CallbackRoomError);
  });

  test('a message that gets its details leaves the count, and a send is never refused', async () => {
    await using t = await open({ limits });
    await t.store.record(['1', '2', '3'].map((id) => old(id, 1)));
    expect(await t.store.accept(await beginSend(t.store), accepted('sent'))).toEqual(accepted('sent'));
    await expect(t.store.record([news('4', 'SENT', now)])).rejects.toThrow(CallbackRoomError);
    await t.store.accept(await beginSend(t.store), accepted('2'));
    await t.store.record([news('4', 'SENT', now)]);
    await expect(t.store.record([news('5', 'SENT', now)])).rejects.toThrow(CallbackRoomError);
  });

  test('what is refused of a replay leaves its callback in quarantine', async () => {
    await using t = await open({ limits });
    await t.store.record(
      ['1', '2', '3'].map((id) => old(id, 1)),
      [{ business, raw: 'odd', reason: 'r', receivedAt: now }],
    );
    await expect(t.store.release(business, '1', [news('4', 'SENT', now)])).rejects.toThrow(CallbackRoomError);
    expect(await t.store.findQuarantined(business, '1')).toBeDefined();
    await t.store.prune(now - hourMs / 2);
    await t.store.release(business, '1', [news('4', 'SENT', now)]);
    expect(await t.store.findQuarantined(business, '1')).toBeUndefined();
  });

  test('a limit that was lowered is reached step by step, and no callback is refused meanwhile', async () => {
    await using t = await open({});
    await t.store.record(Array.from({ length: 25 }, (_, index) => old(`${index}`, 48)));
    await t.reopen({ limits });
    for (const id of ['a', 'b', 'c']) await t.store.record([news(id, 'SENT', now)]);
    expect(await idsOf(t.store, { first: 9 })).toEqual(['c', 'b', 'a']);
  });
}
