import { expect, test } from 'vitest';
import type { Store } from '../../../src/store/port.ts';
import { accepted, beginSend, business, newSend, news, someTime } from '../samples.ts';
import type { Open } from './test-store.ts';

/** Ids and cursors count for each business. */
export function numbering(open: Open): void {
  test('ids and cursors of a business are the same, whatever other businesses do', async () => {
    await using alone = await open({});
    await using beside = await open({});
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      for (let times = 0; times <= index; times += 1) await writeOne(beside.store, 'other', `${id}${times}`);
      await writeOne(alone.store, business, id);
      await writeOne(beside.store, business, id);
    }
    expect(await allNamesOf(beside.store)).toEqual(await allNamesOf(alone.store));
  });

  test('no number is given twice, also after all was deleted and the store was opened again', async () => {
    await using t = await open({});
    await writeOne(t.store, business, 'a');
    const before = await allNamesOf(t.store);
    await t.store.prune(someTime * 2);
    expect(await allNamesOf(t.store)).toEqual([]);
    await t.reopen();
    await writeOne(t.store, business, 'a');
    const after = await allNamesOf(t.store);
    expect(after).toHaveLength(before.length);
    for (const name of after) expect(before).not.toContain(name);
  });

  test('a send of one business is not settled for another', async () => {
    await using t = await open({});
    const ours = await beginSend(t.store);
    const theirs = await beginSend(t.store, newSend({ business: 'other' }));
    expect(theirs).toBe(ours);
    await t.store.fail('other', theirs, 'PINGUP_REJECTED', someTime);
    await t.store.accept(ours, accepted('m1'));
    expect((await sendsOf(t.store, business))[0]?.send.outcome).toBe('ACCEPTED');
    expect((await sendsOf(t.store, 'other'))[0]?.send.outcome).toBe('REJECTED');
  });
}

/** A message, a send that was settled, and a quarantined callback. */
async function writeOne(store: Store, business: string, id: string): Promise<void> {
  await store.fail(business, await beginSend(store, newSend({ business })), 'PINGUP_REJECTED', someTime);
  await store.record(
    [{ ...news(id, 'SENT'), business }],
    [{ business, raw: id, reason: 'r', receivedAt: someTime }],
  );
}

async function sendsOf(store: Store, business: string) {
  return (await store.sends({ business, first: 100 })).entries;
}

async function allNamesOf(store: Store): Promise<string[]> {
  const { entries: messages } = await store.list({ business, first: 100 });
  const { entries: quarantined } = await store.quarantined({ business, first: 100 });
  const sends = await sendsOf(store, business);
  return [
    ...messages.map(({ cursor }) => cursor),
    ...sends.flatMap(({ cursor, send }) => [cursor, `send ${send.id}`]),
    ...quarantined.flatMap(({ cursor, callback }) => [cursor, `callback ${callback.id}`]),
  ];
}
