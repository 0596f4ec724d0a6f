import { pino } from 'pino';
import { expect, test } from 'vitest';
import { settleLostSends } from '../../src/store/lost-sends.ts';
import { beginSend, business, newSend } from './samples.ts';
import { openTestStore } from './sqlite-test-store.ts';

test('in a living process, a send that may still be answered is left alone, and one that is long past is UNKNOWN', async () => {
  await using t = await openTestStore();
  const timeoutMs = 10_000;
  await beginSend(t.store, newSend({ at: Date.now() - timeoutMs - 61_000 }));
  await beginSend(t.store, newSend({ at: Date.now() - timeoutMs }));
  using _chore = settleLostSends(t.store, timeoutMs, pino({ level: 'silent' }));
  const outcomes = async () =>
    (await t.store.sends({ business, first: 9 })).entries.map(({ send }) => send.outcome);
  await expect.poll(outcomes).toEqual(['PENDING', 'UNKNOWN']);
});
