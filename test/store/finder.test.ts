import { expect, test } from 'vitest';
import { acceptedMessage } from '../../src/accepted-message.ts';
import type { MessageKey } from '../../src/message.ts';
import { createFinder } from '../../src/store/finder.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { key } from './samples.ts';
import { temporaryDirectory } from './sqlite-test-store.ts';

const text = { client: 'anna', clientPhone: null, clientName: null, textMessage: 'Hello', delay: null };

test('what is asked for in one turn is one call, each key once, and each gets its own answer', async () => {
  const calls: (readonly MessageKey[])[] = [];
  const known = [acceptedMessage(key('a'), text, 1), acceptedMessage(key('b'), text, 2)];
  const find = createFinder(async (keys) => {
    calls.push(keys);
    return known;
  });
  const found = await Promise.all(['a', 'b', 'a', 'unknown'].map(key).map(find));
  expect(found.map((message) => message?.id)).toEqual(['a', 'b', 'a', undefined]);
  expect(calls).toEqual([['a', 'b', 'unknown'].map(key)]);
  await find(key('b'));
  expect(calls).toHaveLength(2);
});

test('3,000 look-ups at once take one place in the queue', async () => {
  await using directory = await temporaryDirectory();
  await using store = await openSqliteStore({ path: directory.file('gateway.db') });
  const looking = Promise.all(Array.from({ length: 3_000 }, (_, id) => store.find(key(`${id % 100}`))));
  await Promise.resolve();
  expect(store.pending).toBe(1);
  expect(new Set(await looking)).toEqual(new Set([undefined]));
});
