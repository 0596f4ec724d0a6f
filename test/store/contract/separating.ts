import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deliveryStatuses, type Message, merge } from '../../../src/message.ts';
import { accepted, beginSend, keyedSend, newSend, news, someTime } from '../samples.ts';
import { collect, type Open } from './test-store.ts';

const businesses = ['acme', 'Acme', 'acme.it', 'a'] as const;

/** Several businesses in one store. */
export function separating(open: Open): void {
  test('one id in two businesses is two messages, whatever is reported of either', async () => {
    const report = fc.record({
      business: fc.constantFrom(...businesses),
      id: fc.constantFrom('1', 'acme/1', '/1', 'it/1'),
      status: fc.constantFrom(...deliveryStatuses),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(report, { minLength: 1, maxLength: 12 }), async (reports) => {
        await using t = await open();
        const expected = new Map<string, Message>();
        for (const { business, id, status } of reports) {
          const message = { ...news(id, status), business };
          const text = JSON.stringify([business, id]);
          expected.set(text, merge(expected.get(text), message));
          await t.store.record([message]);
        }
        for (const business of businesses) {
          const own = [...expected.values()].filter((message) => message.business === business);
          for (const message of own) expect(await t.store.find(message)).toEqual(message);
          const { entries } = await t.store.list({ business, first: 100 });
          expect(new Set(entries.map(({ message }) => message))).toEqual(new Set(own));
        }
      }),
      { numRuns: 10 },
    );
  });

  test('a watch sees nothing of another business, and unknown is unknown in each', async () => {
    await using t = await open();
    await t.store.record([news('1', 'SENT')]);
    const states = await t.store.watch({ business: 'acme', id: '1' });
    expect(await t.store.watch({ business: 'other', id: '1' })).toBeUndefined();
    await t.store.record([{ ...news('1', 'READ'), business: 'other' }]);
    await t.store.record([news('1', 'DELIVERED'), news('1', 'READ')]);
    expect((await collect(states)).map(({ business }) => business)).not.toContain('other');
  });

  test('sends, their outcomes and their keys are of one business each', async () => {
    await using t = await open();
    const ours = await beginSend(t.store, keyedSend('k'));
    const theirs = await beginSend(t.store, keyedSend('k', { business: 'other' }));
    await t.store.accept(ours, accepted('1'));
    await t.store.accept(theirs, { ...accepted('1', { clientName: 'Other' }), business: 'other' });
    const again = await t.store.begin(keyedSend('k', { business: 'other' }));
    expect(again).toMatchObject({ kind: 'accepted', message: { details: { clientName: 'Other' } } });
    for (const [business, id] of [
      ['acme', ours],
      ['other', theirs],
      ['nobody', undefined],
    ] as const) {
      const { entries } = await t.store.sends({ business, first: 9 });
      expect(entries.map(({ send }) => send.id)).toEqual(id ? [id] : []);
      const { entries: pending } = await t.store.sends({ business, first: 9, outcomes: ['PENDING'] });
      expect(pending).toEqual([]);
    }
  });

  test('what is lost is settled for all of them', async () => {
    await using t = await open();
    for (const business of businesses) await beginSend(t.store, newSend({ business }));
    expect(await t.store.settleLost(someTime + 1, someTime)).toBe(businesses.length);
  });
}
