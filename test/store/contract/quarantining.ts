import { expect, test } from 'vitest';
import { merge, statusOf } from '../../../src/message.ts';
import type { QuarantineEntry, Store } from '../../../src/store/port.ts';
import { business, key, news, someTime } from '../samples.ts';
import { type Open, watchKnown } from './test-store.ts';

/** What was not understood, and what becomes of it. */
export function quarantining(open: Open): void {
  const callback = { business, raw: '{"\u0000":"\ud83d\ude00"}', reason: 'no id', receivedAt: someTime };

  test('a body is kept as it came, once for each business, with how often and when', async () => {
    await using t = await open();
    await t.store.record([], [{ ...callback, receivedAt: someTime + 20 }]);
    await t.store.record([], [{ ...callback, receivedAt: someTime + 10, reason: 'no status' }]);
    await t.store.record([], [{ ...callback, receivedAt: someTime + 30 }]);
    await t.store.record([], [{ ...callback, business: 'other' }]);
    const [kept, ...others] = await quarantinedIn(t.store);
    expect(others).toEqual([]);
    const { raw, ...listed } = callback;
    expect(kept).toEqual({
      ...listed,
      rawLength: raw.length,
      id: expect.any(String),
      times: 3,
      receivedAt: someTime + 10,
      lastReceivedAt: someTime + 30,
    });
    expect(await t.store.findQuarantined(business, String(kept?.id))).toEqual({ ...kept, raw });
  });

  test('they come newest first, page by page, without gap or duplicate', async () => {
    await using t = await open();
    const bodies = Array.from({ length: 12 }, (_, index) => 'x'.repeat(index + 1));
    for (const raw of bodies) await t.store.record([], [{ ...callback, raw }]);
    const seen: number[] = [];
    let after: string | undefined;
    do {
      const page = await t.store.quarantined({ business, first: 5, after });
      seen.push(...page.entries.map((entry) => entry.callback.rawLength));
      after = page.hasMore ? page.entries.at(-1)?.cursor : undefined;
    } while (after !== undefined);
    expect(seen).toEqual(bodies.map((raw) => raw.length).toReversed());
  });

  test('a cursor of another list is BAD_USER_INPUT', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const [entry] = (await t.store.list({ business, first: 1 })).entries;
    for (const after of [String(entry?.cursor), '', 'nonsense'])
      await expect(t.store.quarantined({ business, first: 1, after })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
      });
  });

  test('one of another business, and an id that is none, are not found', async () => {
    await using t = await open();
    await t.store.record([], [callback]);
    const [kept] = await quarantinedIn(t.store);
    expect(await t.store.findQuarantined('other', String(kept?.id))).toBeUndefined();
    for (const id of ['', '0', '-1', '1e9', 'x', ' 1', `${kept?.id} `, '9'.repeat(40), '\u0000'])
      expect(await t.store.findQuarantined(business, id)).toBeUndefined();
  });

  test('what is released is merged, seen by who watches, and gone from quarantine', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')], [callback]);
    const states = await watchKnown(t.store, 'm1');
    await states.next();
    const [kept] = await quarantinedIn(t.store);
    const said = [news('m1', 'READ'), news('m2', 'SENT')];
    await t.store.release(business, String(kept?.id), said);
    const { value } = await states.next();
    expect(value && statusOf(value)).toBe('READ');
    expect(await t.store.find(key('m1'))).toEqual(merge(news('m1', 'SENT'), news('m1', 'READ')));
    expect(await t.store.find(key('m2'))).toEqual(news('m2', 'SENT'));
    expect(await quarantinedIn(t.store)).toEqual([]);
  });

  test('a second release of the same changes nothing, and another business releases nothing', async () => {
    await using t = await open();
    await t.store.record([], [callback]);
    const [kept] = await quarantinedIn(t.store);
    const id = String(kept?.id);
    await t.store.release('other', id, []);
    expect(await quarantinedIn(t.store)).toEqual([kept]);
    await t.store.release(business, id, [news('m1', 'SENT')]);
    await t.store.release(business, id, [news('m1', 'SENT')]);
    expect(await t.store.find(key('m1'))).toEqual(news('m1', 'SENT'));
  });

  test('a body that comes again after its release is kept anew, under another id', async () => {
    await using t = await open();
    await t.store.record([], [callback]);
    const [first] = await quarantinedIn(t.store);
    await t.store.release(business, String(first?.id), []);
    await t.store.record([], [callback]);
    const [second] = await quarantinedIn(t.store);
    expect(second).toMatchObject({ times: 1, rawLength: callback.raw.length });
    expect(second?.id).not.toBe(first?.id);
  });

  test('quarantine is there after the store is opened again', async () => {
    await using t = await open();
    await t.store.record([], [callback]);
    const before = await quarantinedIn(t.store);
    await t.reopen();
    expect(await quarantinedIn(t.store)).toEqual(before);
  });
}

export async function quarantinedIn(store: Store, whose = business): Promise<QuarantineEntry[]> {
  const { entries } = await store.quarantined({ business: whose, first: 100 });
  return entries.map((entry) => entry.callback);
}
