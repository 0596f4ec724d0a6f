import { expect, test } from 'vitest';
import { acceptedMessage } from '../../src/accepted-message.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { createFinder } from '../../src/store/sqlite-finder.ts';
import { temporaryDirectory } from './sqlite-test-store.ts';

const text = { client: 'anna', clientPhone: null, clientName: null, textMessage: 'Hello', delay: null };

test('what is asked for in one turn is one call, each id once, and each gets its own answer', async () => {
  const calls: (readonly string[])[] = [];
  const known = [acceptedMessage('a', text, 1), acceptedMessage('b', text, 2)];
  const find = createFinder({
    ask: async ([, ids]: readonly unknown[]) => {
      calls.push(ids as readonly string[]);
      return known as never;
    },
  });
  const found = await Promise.all(['a', 'b', 'a', 'unknown'].map(find));
  expect(found.map((message) => message?.id)).toEqual(['a', 'b', 'a', undefined]);
  expect(calls).toEqual([['a', 'b', 'unknown']]);
  await find('b');
  expect(calls).toHaveLength(2);
});

test('3,000 look-ups at once take one place in the queue', async () => {
  await using directory = await temporaryDirectory();
  await using store = await openSqliteStore({ path: directory.file('gateway.db') });
  const looking = Promise.all(Array.from({ length: 3_000 }, (_, id) => store.find(`${id % 100}`)));
  await Promise.resolve();
  expect(store.pending).toBe(1);
  expect(new Set(await looking)).toEqual(new Set([undefined]));
});
