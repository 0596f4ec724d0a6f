import { expect, test } from 'vitest';
import { merge } from '../../../src/message.ts';
import {
  accepted,
  beginSend,
  business,
  key,
  keyedSend,
  newSend,
  news,
  someText,
  someTime,
} from '../samples.ts';
import { watchEvents } from './limiting-quarantine.ts';
import type { Open } from './test-store.ts';

/** Pingup gives an id to two sends. */
export function repeatingIds(open: Open): void {
  const second = accepted('m1', { client: 'arya', textMessage: 'Good night', acceptedAt: someTime + 5 });
  const secondText = { ...someText, client: 'arya', textMessage: 'Good night' };

  test('the first message stays as it is, and the second send is UNKNOWN, with its text and that id', async () => {
    const { events, ...watched } = watchEvents();
    await using t = await open(watched);
    await t.store.accept(await beginSend(t.store), accepted('m1'));
    const attempt = await beginSend(t.store, newSend({ text: secondText }));
    expect(await t.store.accept(attempt, second)).toBeUndefined();
    expect(await t.store.find(key('m1'))).toEqual(accepted('m1'));
    const [send] = (await t.store.sends({ business, first: 1 })).entries;
    expect(send?.send).toMatchObject({
      id: attempt,
      text: secondText,
      outcome: 'UNKNOWN',
      errorCode: 'SEND_OUTCOME_UNKNOWN',
      messageId: 'm1',
      settledAt: someTime + 5,
    });
    expect(events).toEqual([['messageIdRepeated', 1]]);
  });

  test('an earlier answer of the second send does not take the message over', async () => {
    await using t = await open({});
    await t.store.accept(await beginSend(t.store), accepted('m1', { acceptedAt: someTime + 9 }));
    expect(await t.store.accept(await beginSend(t.store), second)).toBeUndefined();
    expect(await t.store.find(key('m1'))).toMatchObject({ details: { client: 'jon' } });
  });

  test('of many at once, one has the message', async () => {
    await using t = await open({});
    const attempts = await Promise.all(Array.from({ length: 20 }, () => beginSend(t.store)));
    const answers = await Promise.all(attempts.map((attempt) => t.store.accept(attempt, accepted('m1'))));
    expect(answers.filter((message) => message !== undefined)).toEqual([accepted('m1')]);
  });

  test('a repeat of either accept changes nothing', async () => {
    await using t = await open({});
    const first = await beginSend(t.store);
    const other = await beginSend(t.store);
    for (const _ of 'again') {
      expect(await t.store.accept(first, accepted('m1'))).toEqual(accepted('m1'));
      expect(await t.store.accept(other, second)).toBeUndefined();
    }
    const { entries } = await t.store.sends({ business, first: 9 });
    expect(entries.map(({ send }) => send.outcome)).toEqual(['UNKNOWN', 'ACCEPTED']);
  });

  test('later callbacks of the id are of the first message', async () => {
    await using t = await open({});
    await t.store.accept(await beginSend(t.store), accepted('m1'));
    await t.store.accept(await beginSend(t.store), second);
    await t.store.record([news('m1', 'READ')]);
    expect(await t.store.find(key('m1'))).toEqual(merge(accepted('m1'), news('m1', 'READ')));
  });

  test('a repeat with the key of the second send is SEND_OUTCOME_UNKNOWN, and gets nothing of the first', async () => {
    await using t = await open({});
    await t.store.accept(await beginSend(t.store), accepted('m1'));
    await t.store.accept(await beginSend(t.store, keyedSend('k')), second);
    const unknown = { kind: 'failed', code: 'SEND_OUTCOME_UNKNOWN' };
    expect(await t.store.begin(keyedSend('k'))).toEqual(unknown);
  });

  test('the same id in another business is no repeat', async () => {
    await using t = await open({});
    await t.store.accept(await beginSend(t.store), accepted('m1'));
    const theirs = await beginSend(t.store, newSend({ business: 'other' }));
    expect(await t.store.accept(theirs, { ...second, business: 'other' })).toBeDefined();
  });
}
