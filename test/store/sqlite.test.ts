import { describe, expect, test } from 'vitest';
import { storeContract } from './contract.ts';
import { accepted, someText } from './samples.ts';
import { openTestStore, rowsOf } from './sqlite-test-store.ts';

storeContract('SQLite', openTestStore);

describe('what operators find in the file', () => {
  test('each send, with what became of it', async () => {
    await using t = await openTestStore();
    await t.store.begin(someText, 1);
    await t.store.fail(await t.store.begin(someText, 2), 'PINGUP_REJECTED', 3);
    await t.store.accept(await t.store.begin(someText, 4), accepted('m1', { acceptedAt: 5 }));
    const input = JSON.stringify(someText);
    expect(rowsOf(t.path, 'SELECT * FROM sends ORDER BY seq')).toEqual([
      { seq: 1, input, begun_at: 1, outcome: null, message_id: null, settled_at: null },
      { seq: 2, input, begun_at: 2, outcome: 'PINGUP_REJECTED', message_id: null, settled_at: 3 },
      { seq: 3, input, begun_at: 4, outcome: 'ACCEPTED', message_id: 'm1', settled_at: 5 },
    ]);
  });

  test('each body that was not understood, once, with how often and when it came', async () => {
    await using t = await openTestStore();
    for (const receivedAt of [20, 10, 30])
      await t.store.record([], [{ raw: 'a\u0000', reason: 'r', receivedAt }]);
    await t.store.record([], [{ raw: 'a', reason: 'r', receivedAt: 5 }]);
    const columns = 'raw, reason, times, first_received_at AS first, last_received_at AS last';
    expect(rowsOf(t.path, `SELECT ${columns} FROM quarantine ORDER BY seq`)).toEqual([
      { raw: 'a\u0000', reason: 'r', times: 3, first: 10, last: 30 },
      { raw: 'a', reason: 'r', times: 1, first: 5, last: 5 },
    ]);
  });

  test('nothing of either that was last touched before a prune', async () => {
    await using t = await openTestStore();
    await t.store.begin(someText, 1);
    await t.store.fail(await t.store.begin(someText, 2), 'PINGUP_REJECTED', 30);
    for (let index = 0; index < 700; index += 1) await t.store.begin(someText, 3);
    await t.store.record([], [{ raw: 'old', reason: 'r', receivedAt: 1 }]);
    await t.store.record([], [{ raw: 'new', reason: 'r', receivedAt: 30 }]);
    expect(await t.store.prune(30)).toBe(0);
    expect(rowsOf(t.path, 'SELECT begun_at FROM sends')).toEqual([{ begun_at: 2 }]);
    expect(rowsOf(t.path, 'SELECT raw FROM quarantine')).toEqual([{ raw: 'new' }]);
  });
});
