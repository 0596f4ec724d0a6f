import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Message, merge, statusOf } from '../../../src/message.ts';
import type { Store } from '../../../src/store/port.ts';
import { accepted, business, news } from '../samples.ts';
import { idsOf, type Open, pages } from './test-store.ts';

export function listing(open: Open): void {
  test('the message heard of last comes first, and later news does not move it', async () => {
    await using t = await open();
    for (const id of ['m1', 'm2', 'm3']) await t.store.record([news(id, 'SENT')]);
    await t.store.record([news('m1', 'READ')]);
    expect(await idsOf(t.store, { first: 100 })).toEqual(['m3', 'm2', 'm1']);
  });

  test('pages have no gap and no duplicate while new messages arrive', async () => {
    await using t = await open();
    const old = Array.from({ length: 25 }, (_, index) => `old-${index}`);
    for (const id of old) await t.store.record([news(id, 'SENT')]);
    const seen: string[] = [];
    for await (const page of pages(t.store, { first: 7 })) {
      seen.push(...page.entries.map(({ message }) => message.id));
      await t.store.record([news(`new-${seen.length}`, 'SENT')]);
    }
    expect(seen).toEqual(old.toReversed());
  });

  test('hasMore is true exactly when another page has something on it', async () => {
    await using t = await open();
    expect(await t.store.list({ business, first: 1 })).toEqual({ entries: [], hasMore: false });
    await t.store.record([news('m1', 'SENT'), news('m2', 'SENT')]);
    expect((await t.store.list({ business, first: 1 })).hasMore).toBe(true);
    expect((await t.store.list({ business, first: 2 })).hasMore).toBe(false);
  });

  test('filters by client and statuses find what a filter by hand would, page by page', async () => {
    await using t = await open();
    const all = await writeVariety(t.store);
    const someStatuses = fc.subarray(['ACCEPTED', 'SENT', 'FAILED', 'DELIVERED', 'READ'] as const);
    const client = fc.option(fc.constantFrom('jon', 'j\u0000n', 'nobody'), { nil: undefined });
    const statuses = fc.option(someStatuses, { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        client,
        statuses,
        fc.integer({ min: 1, max: 100 }),
        async (client, statuses, first) => {
          const expected = all.filter(
            (message) =>
              (client === undefined || message.details?.client === client) &&
              (statuses === undefined || statuses.includes(statusOf(message))),
          );
          const found: Message[] = [];
          for await (const page of pages(t.store, { first, client, statuses })) {
            found.push(...page.entries.map(({ message }) => message));
          }
          expect(found).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('a status that is asked for twice is found once', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    expect(await idsOf(t.store, { first: 9, statuses: ['SENT', 'SENT'] })).toEqual(['m1']);
  });

  test('a message is found by its status of now, and by no earlier one', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    await t.store.record([news('m1', 'READ')]);
    expect(await idsOf(t.store, { first: 9, statuses: ['READ'] })).toEqual(['m1']);
    expect(await idsOf(t.store, { first: 9, statuses: ['SENT'] })).toEqual([]);
  });

  test('a write does not wait for many lists that were asked for before it', async () => {
    await using t = await open();
    const textMessage = 'a'.repeat(4_096);
    await t.store.record(Array.from({ length: 100 }, (_, index) => accepted(`m${index}`, { textMessage })));
    const order: string[] = [];
    const lists = Array.from({ length: 50 }, () => t.store.list({ business, first: 100 }));
    // On a busy machine some of them may be too late.
    const listed = Promise.allSettled(lists).then(() => order.push('lists'));
    await t.store.record([news('m1', 'SENT')]).then(() => order.push('write'));
    await listed;
    expect(order).toEqual(['write', 'lists']);
  });

  test('a cursor that the store did not make is BAD_USER_INPUT', async () => {
    await using t = await open();
    await t.store.record([news('m1', 'SENT')]);
    const [entry] = (await t.store.list({ business, first: 1 })).entries;
    const forged = ['', 'x', '1', 'LTE', 'bTE=', 'bU5hTg', `${entry?.cursor}A`, `${entry?.cursor} `];
    for (const after of forged) {
      const rejection = { code: 'BAD_USER_INPUT', faults: [{ path: ['after'] }] };
      await expect(t.store.list({ business, first: 1, after })).rejects.toMatchObject(rejection);
    }
  });
}

/** Messages of every status, of two clients and of none. Newest first, as a list has them. */
async function writeVariety(store: Store): Promise<Message[]> {
  const all: Message[] = [];
  for (const client of ['jon', 'j\u0000n', undefined]) {
    for (const status of ['ACCEPTED', 'SENT', 'FAILED', 'DELIVERED', 'READ', 'READ', 'SENT'] as const) {
      const id = `m${all.length}`;
      const message = client ? merge(accepted(id, { client }), news(id, status)) : news(id, status);
      all.unshift(message);
      await store.record([message]);
    }
  }
  return all;
}
