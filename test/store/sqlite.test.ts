import { describe, expect, test } from 'vitest';
import { storeContract } from './contract.ts';
import { accepted, beginSend, business, keyedSend, newSend, someText } from './samples.ts';
import { openTestStore, rowsOf } from './sqlite-test-store.ts';

storeContract('SQLite', openTestStore);

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
