import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Send, type SendOutcome, sendOutcomes } from '../../../src/send.ts';
import type { Store } from '../../../src/store/port.ts';
import { accepted, beginSend, business, newSend, someText, someTime } from '../samples.ts';
import type { Open } from './test-store.ts';

/** The books: every send, whatever became of it. */
export function sending(open: Open): void {
  test('a send is in the books from its begin on, with when and to whom', async () => {
    await using t = await open();
    const id = await beginSend(t.store, newSend({ at: someTime }));
    expect(await allSends(t.store)).toEqual([
      {
        id,
        business,
        text: someText,
        begunAt: someTime,
        settledAt: null,
        outcome: 'PENDING',
        errorCode: null,
        messageId: null,
      },
    ]);
  });

  test('it is settled by what became of it', async () => {
    await using t = await open();
    const attempts: Record<SendOutcome, string> = await settleEach(t.store);
    const settled = { settledAt: someTime + 5, messageId: null };
    const expected: Record<SendOutcome, Partial<Send>> = {
      PENDING: { settledAt: null, errorCode: null, messageId: null },
      ACCEPTED: { settledAt: someTime, errorCode: null, messageId: `m${attempts.ACCEPTED}` },
      NOT_SENT: { ...settled, errorCode: 'PINGUP_UNAVAILABLE' },
      REJECTED: { ...settled, errorCode: 'PINGUP_REJECTED' },
      UNKNOWN: { ...settled, errorCode: 'SEND_OUTCOME_UNKNOWN' },
    };
    for (const send of await allSends(t.store)) {
      expect(send).toMatchObject({ id: attempts[send.outcome], ...expected[send.outcome] });
    }
  });

  test('what was begun before the instant and is open becomes UNKNOWN, and nothing else', async () => {
    await using t = await open();
    const settled = await settleEach(t.store);
    const lost = await beginSend(t.store, newSend({ at: someTime - 1 }));
    expect(await t.store.settleLost(someTime, someTime + 9)).toBe(1);
    expect(await t.store.settleLost(someTime, someTime + 9)).toBe(0);
    const [first, ...others] = await allSends(t.store);
    expect(first).toMatchObject({
      id: lost,
      outcome: 'UNKNOWN',
      errorCode: 'SEND_OUTCOME_UNKNOWN',
      settledAt: someTime + 9,
    });
    expect(others.map(({ outcome, id }) => [outcome, id]).toSorted()).toEqual(
      Object.entries(settled).toSorted(),
    );
  });

  test('they come newest first, and by outcome are what a filter by hand would find, page by page', async () => {
    await using t = await open();
    for (let round = 0; round < 4; round += 1) await settleEach(t.store);
    const all = await allSends(t.store);
    expect(all.map(({ id }) => Number(id))).toEqual(
      all.map(({ id }) => Number(id)).toSorted((a, b) => b - a),
    );
    const outcomes = fc.option(fc.subarray([...sendOutcomes]), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(outcomes, fc.integer({ min: 1, max: 25 }), async (outcomes, first) => {
        const expected = all.filter(({ outcome }) => outcomes === undefined || outcomes.includes(outcome));
        expect(await allSends(t.store, outcomes, first)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('an outcome that is asked for twice is found once', async () => {
    await using t = await open();
    await beginSend(t.store);
    expect(await allSends(t.store, ['PENDING', 'PENDING'])).toHaveLength(1);
  });

  test('a cursor of another list, or of nobody, is BAD_USER_INPUT', async () => {
    await using t = await open();
    await t.store.accept(await beginSend(t.store), accepted('m1'));
    const [message] = (await t.store.list({ business, first: 1 })).entries;
    const rejection = { code: 'BAD_USER_INPUT', faults: [{ path: ['after'] }] };
    for (const after of ['', 'x', `${message?.cursor}`]) {
      await expect(t.store.sends({ business, first: 1, after })).rejects.toMatchObject(rejection);
    }
  });

  test('the books are the same after the store is opened again', async () => {
    await using t = await open();
    await settleEach(t.store);
    await t.store.settleLost(someTime + 1, someTime + 9);
    const before = await allSends(t.store);
    await t.reopen();
    expect(await allSends(t.store)).toEqual(before);
  });
}

/** One send of each outcome; resolves to their ids. */
async function settleEach(store: Store): Promise<Record<SendOutcome, string>> {
  const ACCEPTED = await beginSend(store);
  // Pingup gives an id once.
  await store.accept(ACCEPTED, accepted(`m${ACCEPTED}`));
  const codes = ['PINGUP_UNAVAILABLE', 'PINGUP_REJECTED', 'SEND_OUTCOME_UNKNOWN'] as const;
  const [NOT_SENT = '', REJECTED = '', UNKNOWN = ''] = await Promise.all(
    codes.map(async (code) => {
      const attempt = await beginSend(store);
      await store.fail(business, attempt, code, someTime + 5);
      return attempt;
    }),
  );
  return { ACCEPTED, NOT_SENT, REJECTED, UNKNOWN, PENDING: await beginSend(store) };
}

async function allSends(store: Store, outcomes?: readonly SendOutcome[], first = 100): Promise<Send[]> {
  const found: Send[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.sends({ business, first, after, outcomes });
    found.push(...page.entries.map(({ send }) => send));
    after = page.entries.at(-1)?.cursor;
    if (!page.hasMore) return found;
  }
}
