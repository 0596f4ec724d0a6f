import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFinal, merge, revisionOf, statusOf } from '../../../src/message.ts';
import { anyStatuses } from '../arbitraries.ts';
import { accepted, beginSend, key, news, someTime } from '../samples.ts';
import { collect, increases, type Open, watchKnown } from './test-store.ts';

export function watching(open: Open): void {
  test('an unknown id is not watched', async () => {
    await using t = await open();
    expect(await t.store.watch(key('m1'))).toBeUndefined();
    expect(t.store.watching).toBe(0);
  });

  test('a watch yields the message now, then each later state, and ends at READ', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const states = await watchKnown(t.store, 'm1');
    expect(await states.next()).toEqual({ done: false, value: news('m1', 'SENT') });
    for (const status of ['DELIVERED', 'READ'] as const) {
      const next = states.next();
      await t.store.record([news('m1', status)]);
      expect(await next).toEqual({ done: false, value: await t.store.find(key('m1')) });
    }
    expect(await states.next()).toEqual({ done: true, value: undefined });
    expect(t.store.watching).toBe(0);
  });

  test('a message that was read already is yielded once', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'READ')]);
    expect(await collect(await watchKnown(t.store, 'm1'))).toEqual([news('m1', 'READ')]);
  });

  test('accept is seen as callbacks are', async () => {
    await using t = await open();
    const attempt = await beginSend(t.store);
    await t.store.record([news('m1', 'SENT')]);
    const states = await watchKnown(t.store, 'm1');
    await states.next();
    const next = states.next();
    const message = await t.store.accept(attempt, accepted('m1'));
    expect(await next).toEqual({ done: false, value: message });
  });

  test('repeated callbacks are not yielded again', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const states = await watchKnown(t.store, 'm1');
    await t.store.record([news('m1', 'SENT')]);
    await t.store.record([news('m1', 'SENT', someTime + 9)]);
    await t.store.record([news('m1', 'SENT', someTime - 9)]);
    await t.store.record([news('m1', 'READ')]);
    expect((await collect(states)).map(revisionOf)).toSatisfy(increases);
  });

  test('a slow reader skips to the newest state', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'ACCEPTED')]);
    const states = await watchKnown(t.store, 'm1');
    await states.next();
    for (const status of ['SENT', 'FAILED', 'DELIVERED'] as const) await t.store.record([news('m1', status)]);
    expect(await states.next()).toEqual({ done: false, value: await t.store.find(key('m1')) });
    await t.store.record([news('m1', 'READ')]);
    expect((await collect(states)).map(statusOf)).toEqual(['READ']);
  });

  test('whatever the order and number of callbacks, a watch never steps back and ends with all of them', async () => {
    await using t = await open();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(anyStatuses, fc.boolean(), async (statuses, together) => {
        const id = `m${count++}`;
        await t.store.record([news(id, 'ACCEPTED')]);
        const states = await watchKnown(t.store, id);
        const seen = collect(states);
        const writes = [...statuses, 'READ' as const].map((status) => news(id, status));
        if (together) await Promise.all(writes.map((write) => t.store.record([write])));
        else for (const write of writes) await t.store.record([write]);
        expect((await seen).map(revisionOf)).toSatisfy(increases);
        expect((await seen).slice(0, -1).some(isFinal)).toBe(false);
        expect(await t.store.find(key(id))).toEqual([news(id, 'ACCEPTED'), ...writes].reduce(merge));
        expect((await seen).slice(-1).map(statusOf)).toEqual(['READ']);
      }),
    );
    expect(t.store.watching).toBe(0);
  });

  test('a watch that is opened while callbacks arrive misses no last state and repeats none', async () => {
    await using t = await open();
    const race = async (_: unknown, index: number) => {
      const id = `m${index}`;
      await t.store.record([news(id, 'ACCEPTED')]);
      const sent = t.store.record([news(id, 'SENT')]);
      const opened = watchKnown(t.store, id);
      const read = t.store.record([news(id, 'READ')]);
      const seen = await collect(await opened);
      expect(seen.map(revisionOf)).toSatisfy(increases);
      expect(seen.at(-1)).toEqual(await t.store.find(key(id)));
      await Promise.all([sent, read]);
    };
    await Promise.all(Array.from({ length: 500 }, race));
    expect(t.store.watching).toBe(0);
  });

  test('every watch of a message sees it, and one that leaves takes no other along', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT'), news('m2', 'SENT')]);
    const [leaving, staying, other] = await Promise.all(
      ['m1', 'm1', 'm2'].map((id) => watchKnown(t.store, id)),
    );
    expect(t.store.watching).toBe(3);
    await leaving?.return?.();
    await other?.return?.();
    await t.store.record([news('m1', 'READ')]);
    expect((await collect(staying)).map(statusOf)).toEqual(['READ']);
    expect(await collect(leaving)).toEqual([]);
    expect(t.store.watching).toBe(0);
  });

  test('return ends a next that waits, at once', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const states = await watchKnown(t.store, 'm1');
    await states.next();
    const waiting = [states.next(), states.next()];
    expect(await states.return?.()).toEqual({ done: true, value: undefined });
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ done: true, value: undefined }));
    expect(t.store.watching).toBe(0);
  });

  test('ten thousand watches that leave at any moment leave nothing behind', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const visit = async (_: unknown, index: number) => {
      const states = await watchKnown(t.store, 'm1');
      if (index % 3 > 0) await states.next();
      if (index % 3 > 1) void states.next();
      await states.return?.();
    };
    await Promise.all(Array.from({ length: 10_000 }, visit));
    expect(t.store.watching).toBe(0);
  });
}
