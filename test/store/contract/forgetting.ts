import { expect, test } from 'vitest';
import type { Store } from '../../../src/store/port.ts';
import { accepted, beginSend, business, key, keyedSend, newSend, news, someText } from '../samples.ts';
import { collect, idsOf, type Open, watchKnown } from './test-store.ts';

const nobody = { client: null, clientPhone: null, clientName: null, textMessage: null, delay: null };

/** A client's right to be forgotten. */
export function forgetting(open: Open): void {
  const jon = { business, client: 'jon', clientPhone: null };

  test("a client's messages are deleted, by client or by phone, and nobody else's", async () => {
    await using t = await open();
    await t.store.record([
      accepted('by-client', { clientPhone: null }),
      accepted('by-phone', { client: null, clientPhone: '4912345678' }),
      accepted('by-both', { clientPhone: '4912345678' }),
      accepted('other', { client: 'jo', clientPhone: '49123456789' }),
      { ...accepted('by-client'), business: 'other' },
      news('unknown', 'SENT'),
    ]);
    expect(await t.store.forget({ ...jon, clientPhone: '4912345678' })).toEqual({ messages: 3, sends: 0 });
    expect(new Set(await idsOf(t.store, { first: 100 }))).toEqual(new Set(['other', 'unknown']));
    expect(await t.store.find({ business: 'other', id: 'by-client' })).toBeDefined();
    expect(await t.store.forget({ ...jon, clientPhone: '4912345678' })).toEqual({ messages: 0, sends: 0 });
  });

  test('its sends say no more to whom and what, keep their outcome and key, and are not sent again', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store, keyedSend('k'));
    await t.store.accept(attempt, accepted('m1'));
    await t.store.fail(business, await beginSend(t.store), 'SEND_OUTCOME_UNKNOWN', 1);
    await beginSend(t.store, newSend({ text: { ...someText, client: 'other' } }));
    expect(await t.store.forget(jon)).toEqual({ messages: 1, sends: 2 });
    expect((await sendsIn(t.store)).map(({ outcome, text }) => [outcome, text])).toEqual([
      ['PENDING', { ...someText, client: 'other' }],
      ['UNKNOWN', nobody],
      ['ACCEPTED', nobody],
    ]);
    expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'failed', code: 'NOT_FOUND' });
    expect(await t.store.forget(jon)).toEqual({ messages: 0, sends: 0 });
  });

  test('a send that is PENDING is not touched', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store);
    expect(await t.store.forget(jon)).toEqual({ messages: 0, sends: 0 });
    expect((await sendsIn(t.store)).map(({ text }) => text)).toEqual([someText]);
    await t.store.accept(attempt, accepted('m1'));
    expect(await t.store.forget(jon)).toEqual({ messages: 1, sends: 1 });
  });

  test('whoever watches a message that is forgotten sees its watch end', async () => {
    await using t = await open();
    await t.store.record([accepted('m1')]);
    const states = await watchKnown(t.store, 'm1');
    await states.next();
    await t.store.forget(jon);
    expect(await collect(states)).toEqual([]);
    expect(t.store.watching).toBe(0);
  });

  test('a late callback tells of the message, and nothing of the client', async () => {
    await using t = await open();
    await t.store.record([accepted('m1')]);
    await t.store.forget(jon);
    await t.store.record([news('m1', 'READ')]);
    expect(await t.store.find(key('m1'))).toEqual(news('m1', 'READ'));
    expect(await idsOf(t.store, { first: 9, client: 'jon' })).toEqual([]);
  });

  test('many are forgotten, and other calls are served meanwhile', async () => {
    await using t = await open();
    const ids = Array.from({ length: 1_700 }, (_, index) => `m${index}`);
    await t.store.record(ids.map((id) => accepted(id)));
    const order: string[] = [];
    const forgetting = t.store.forget(jon).finally(() => order.push('forget'));
    await t.store.find(key('m1')).then(() => order.push('find'));
    expect(await forgetting).toMatchObject({ messages: 1_700 });
    expect(order).toEqual(['find', 'forget']);
  });
}

async function sendsIn(store: Store) {
  return (await store.sends({ business, first: 100 })).entries.map(({ send }) => send);
}
