import { describe, expect, test } from 'vitest';
import { limitsContract, storeContract } from './contract.ts';
import { accepted, beginSend, business, keyedSend, newSend, news, someText, someTime } from './samples.ts';
import { openTestStore, rowsOf } from './sqlite-test-store.ts';

storeContract('SQLite', openTestStore);
limitsContract('SQLite', openTestStore);

describe('what operators find in the file', () => {
  test('each send, with what became of it', async () => {
    await using t = await openTestStore();
    await beginSend(t.store, newSend({ at: 1 }));
    await t.store.fail(business, await beginSend(t.store, newSend({ at: 2 })), 'PINGUP_REJECTED', 3);
    await t.store.accept(await beginSend(t.store, newSend({ at: 4 })), accepted('m1', { acceptedAt: 5 }));
    await t.store.begin(keyedSend('k', { at: 6, fingerprint: 'f' }));
    const columns = 'business, idempotency_key AS key, begun_at, outcome, error_code, message_id, settled_at';
    expect(rowsOf(t.path, `SELECT ${columns} FROM sends ORDER BY seq`)).toEqual([
      row(null, 1, 'PENDING', null, null, null),
      row(null, 2, 'REJECTED', 'PINGUP_REJECTED', null, 3),
      row(null, 4, 'ACCEPTED', null, 'm1', 5),
      row('k', 6, 'PENDING', null, null, null),
    ]);
    expect(rowsOf(t.path, 'SELECT DISTINCT input FROM sends')).toEqual([{ input: JSON.stringify(someText) }]);

    function row(
      ...values: readonly [string | null, number, string, string | null, string | null, number | null]
    ) {
      const [key, begun_at, outcome, error_code, message_id, settled_at] = values;
      return { business: 'acme', key, begun_at, outcome, error_code, message_id, settled_at };
    }
  });

  test('each body that was not understood, once, with how often and when it came', async () => {
    await using t = await openTestStore();
    for (const receivedAt of [20, 10, 30])
      await t.store.record([], [{ business, raw: 'a\u0000', reason: 'r', receivedAt }]);
    await t.store.record([], [{ business, raw: 'a', reason: 'r', receivedAt: 5 }]);
    const columns = 'characters, reason, times, first_received_at AS first, last_received_at AS last';
    expect(rowsOf(t.path, `SELECT ${columns} FROM quarantine ORDER BY number`)).toEqual([
      { characters: 2, reason: 'r', times: 3, first: 10, last: 30 },
      { characters: 1, reason: 'r', times: 1, first: 5, last: 5 },
    ]);
  });

  test('nothing of either that was last touched before a prune', async () => {
    await using t = await openTestStore();
    await beginSend(t.store, newSend({ at: 1 }));
    await t.store.fail(business, await beginSend(t.store, newSend({ at: 2 })), 'PINGUP_REJECTED', 30);
    for (let index = 0; index < 700; index += 1) await beginSend(t.store, newSend({ at: 3 }));
    await t.store.record([], [{ business, raw: 'older', reason: 'r', receivedAt: 1 }]);
    await t.store.record([], [{ business, raw: 'new', reason: 'r', receivedAt: 30 }]);
    expect(await t.store.prune(30)).toBe(0);
    expect(rowsOf(t.path, 'SELECT begun_at FROM sends')).toEqual([{ begun_at: 2 }]);
    expect(rowsOf(t.path, 'SELECT characters FROM quarantine')).toEqual([{ characters: 3 }]);
  });
});

test('findRepeat tells what begin would tell of an earlier send, and begins none', async () => {
  await using t = await openTestStore();
  const { store } = t;
  await store.accept(await beginSend(store, keyedSend('accepted')), accepted('m1'));
  await store.fail(business, await beginSend(store, keyedSend('rejected')), 'PINGUP_REJECTED', someTime);
  await store.fail(business, await beginSend(store, keyedSend('free')), 'PINGUP_UNAVAILABLE', someTime);
  await beginSend(store, keyedSend('running'));
  const others = [
    keyedSend('unknown'),
    keyedSend('running', { fingerprint: 'another' }),
    keyedSend('accepted', { validSince: Number.MAX_SAFE_INTEGER }),
  ];
  const sends = [...['accepted', 'rejected', 'free', 'running'].map((key) => keyedSend(key)), ...others];
  const count = rowsOf(t.path, 'SELECT count(*) AS sends FROM sends');
  const found = await Promise.all(
    sends.map(({ idempotency }) => idempotency && store.findRepeat(business, idempotency)),
  );
  expect(found.map((repeat) => repeat?.kind)).toEqual([
    'accepted',
    'failed',
    undefined,
    'running',
    undefined,
    'reused',
    undefined,
  ]);
  expect(rowsOf(t.path, 'SELECT count(*) AS sends FROM sends')).toEqual(count);
  for (const [at, send] of sends.entries()) {
    const begun = await store.begin(send);
    expect(found[at]).toEqual(begun.kind === 'begun' ? undefined : begun);
  }
});

describe('what a former process left open', () => {
  test('is UNKNOWN once the file is opened again, and keeps its key', async () => {
    await using t = await openTestStore();
    await beginSend(t.store, keyedSend('k', { at: Date.now() + 60_000 }));
    await t.reopen();
    const [entry] = (await t.store.sends({ business, first: 1 })).entries;
    expect(entry?.send).toMatchObject({ outcome: 'UNKNOWN', errorCode: 'SEND_OUTCOME_UNKNOWN' });
    expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'failed', code: 'SEND_OUTCOME_UNKNOWN' });
  });
});

test('retention goes on past a row whose clock was wrong', async () => {
  await using t = await openTestStore();
  await t.store.record([news('future', 'SENT', someTime * 2)]);
  await t.store.record(Array.from({ length: 600 }, (_, index) => news(`m${index}`, 'SENT', someTime)));
  expect(await t.store.prune(someTime + 1)).toBe(600);
});
