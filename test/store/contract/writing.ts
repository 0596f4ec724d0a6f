import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Message, merge } from '../../../src/message.ts';
import { anyMessage } from '../arbitraries.ts';
import { accepted, beginSend, business, key, news, someTime } from '../samples.ts';
import type { Open } from './test-store.ts';

export function writing(open: Open): void {
  test('an accepted send is a message with its details', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store);
    expect(await t.store.accept(attempt, accepted('m1'))).toEqual(accepted('m1'));
    expect(await t.store.find(key('m1'))).toEqual(accepted('m1'));
  });

  test('a send that failed leaves no message', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store);
    await t.store.fail(business, attempt, 'PINGUP_REJECTED', someTime);
    expect((await t.store.list({ business, first: 100 })).entries).toEqual([]);
  });

  test('a callback that overtakes its send is part of what accept resolves to', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store);
    await t.store.record([news('m1', 'DELIVERED')]);
    const message = await t.store.accept(attempt, accepted('m1'));
    expect(message).toEqual(merge(news('m1', 'DELIVERED'), accepted('m1')));
  });

  test('callbacks of known and unknown messages are kept alike', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT'), news('m2', 'FAILED'), news('m1', 'READ')]);
    expect(await t.store.find(key('m1'))).toEqual(merge(news('m1', 'SENT'), news('m1', 'READ')));
    expect(await t.store.find(key('m2'))).toEqual(news('m2', 'FAILED'));
    expect(await t.store.find(key('m3'))).toBeUndefined();
  });

  test('what was not understood is taken in, again and again', async () => {
    await using t = await open();
    const callback = { business, raw: '{"status":"\u0000?"}', reason: 'no message_id', receivedAt: someTime };
    await t.store.record([], [callback, callback]);
    await t.store.record([news('m1', 'SENT')], [callback]);
    expect(await t.store.find(key('m1'))).toEqual(news('m1', 'SENT'));
  });

  test('ids and texts are kept exactly, whatever their characters', async () => {
    await using t = await open();
    const kept = new Map<string, Message>();
    await fc.assert(
      fc.asyncProperty(anyMessage, async (message) => {
        const all = merge(kept.get(message.id), message);
        kept.set(message.id, all);
        await t.store.record([message]);
        expect(await t.store.find(key(message.id))).toEqual(all);
      }),
    );
    await t.reopen();
    for (const [id, message] of kept) expect(await t.store.find(key(id))).toEqual(message);
  });

  test('ids that differ in one character are different messages', async () => {
    await using t = await open();
    const ids = ['a', 'a\u0000', 'a\u0000b', 'A', 'a ', '\u00e4', 'a\u0308', '1', '01', '1.0'];
    await t.store.record(ids.map((id, index) => news(id, 'SENT', someTime + index)));
    for (const [index, id] of ids.entries()) {
      expect(await t.store.find(key(id))).toEqual(news(id, 'SENT', someTime + index));
    }
  });

  test('what a write has resolved is there after the store is opened again', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store);
    await t.reopen();
    await t.store.accept(attempt, accepted('m1'));
    await t.store.record([news('m2', 'SENT')]);
    const before = await t.store.list({ business, first: 100 });
    await t.reopen();
    expect(await t.store.list({ business, first: 100 })).toEqual(before);
    expect(before.entries.map(({ message }) => message.id)).toEqual(['m2', 'm1']);
  });

  test('a thousand writes at once are all kept', async () => {
    await using t = await open();
    const ids = Array.from({ length: 1_000 }, (_, index) => `m${index}`);
    await Promise.all(ids.map((id) => t.store.record([news(id, 'SENT')])));
    const found = await Promise.all(ids.map((id) => t.store.find(key(id))));
    expect(found.map((message) => message?.id)).toEqual(ids);
  });

  test('check resolves while the store can write', async () => {
    await using t = await open();
    await expect(t.store.check()).resolves.toBeUndefined();
  });
}
