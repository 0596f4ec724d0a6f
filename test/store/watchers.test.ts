import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyText, type Message, merge, revisionOf } from '../../src/message.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { createWatchers, pushesPerTurn } from '../../src/store/watchers.ts';
import { anyStatuses } from './arbitraries.ts';
import { key, news } from './samples.ts';
import { temporaryDirectory } from './sqlite-test-store.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Reads a watch to its end. */
async function read(states: AsyncIterable<Message>, onState: (message: Message) => void): Promise<void> {
  for await (const message of states) onState(message);
}

test('a thousand watches of each of a hundred messages are told a few in each turn of the event loop', async () => {
  const watchers = createWatchers();
  const messages = Array.from({ length: 100 }, (_, index) => news(`m${index}`, 'SENT'));
  let pushed = 0;
  let most = 0;
  const count = () => {
    pushed += 1;
  };
  const readers = messages.flatMap((message) =>
    Array.from({ length: 1_000 }, () => read(watchers.open(keyText(message)), count)),
  );
  await nextTurn();
  for (const message of messages) watchers.tell(message);
  for (let before = 0; pushed < readers.length; before = pushed) {
    await nextTurn();
    most = Math.max(most, pushed - before);
  }
  // What a turn begins with and what it ends with may lie between the same two of our own.
  expect(most).toBeLessThanOrEqual(2 * pushesPerTurn);
  watchers.close();
  await Promise.all(readers);
});

test('one watch, or few, hear of a state within the very call that tells it', async () => {
  const watchers = createWatchers();
  const heard: string[] = [];
  const readers = ['a', 'b', 'b', 'b'].map((id) =>
    read(watchers.open(keyText(key(id))), (message) => void heard.push(message.id)),
  );
  await nextTurn();
  watchers.tell(news('a', 'SENT'));
  watchers.tell(news('b', 'SENT'));
  // Microtasks alone: promises settle, and no turn of the event loop begins.
  for (let step = 0; step < 10; step += 1) await Promise.resolve();
  expect(heard).toEqual(['a', 'b', 'b', 'b']);
  watchers.close();
  await Promise.all(readers);
});

test('states that a watch has not taken yet are told in few turns too, and only the latest of them', async () => {
  const watchers = createWatchers();
  const open = Array.from({ length: 1_000 }, () => watchers.open(keyText(key('m'))));
  const [sent, delivered] = [news('m', 'SENT'), merge(news('m', 'SENT'), news('m', 'DELIVERED'))];
  watchers.tell(sent);
  watchers.tell(delivered);
  for (let turn = 0; turn < 30; turn += 1) await nextTurn();
  const seen: Message[] = [];
  const taken = open.map((states) => states.next().then(({ value }) => value && seen.push(value)));
  for (let before = 0; seen.length < open.length; before = seen.length) {
    await nextTurn();
    expect(seen.length - before).toBeLessThanOrEqual(2 * pushesPerTurn);
  }
  await Promise.all(taken);
  expect(new Set(seen)).toEqual(new Set([delivered]));
});

test('a watch that is opened while others are told hears the state too', async () => {
  const watchers = createWatchers();
  const open = Array.from({ length: 500 }, () => watchers.open(keyText(key('m'))));
  watchers.tell(news('m', 'READ'));
  const late = watchers.open(keyText(key('m')));
  expect((await late.next()).value).toEqual(news('m', 'READ'));
  for (const states of open) expect((await states.next()).value).toEqual(news('m', 'READ'));
  expect(watchers.size).toBe(0);
});

test('a state that is on its way when its message is deleted still arrives, and a new one begins again', async () => {
  const watchers = createWatchers();
  const seen: string[][] = [];
  const readers = Array.from({ length: 300 }, (_, index) => {
    const of: string[] = [];
    seen[index] = of;
    return read(
      watchers.open(keyText(key('m'))),
      ({ history }) => void of.push(history.map((e) => e.status).join()),
    );
  });
  watchers.tell(news('m', 'SENT'));
  while (seen.some(({ length }) => length === 0)) await nextTurn();
  watchers.forget(keyText(key('m')));
  const fresh = watchers.open(keyText(key('m')));
  watchers.tell(news('m', 'ACCEPTED'));
  expect((await fresh.next()).value).toEqual(news('m', 'ACCEPTED'));
  await Promise.all(readers);
  expect(new Set(seen.map(String))).toEqual(new Set(['SENT']));
});

test('whatever is told, however many watch and whenever they leave: none goes back, and each that stays hears the last', async () => {
  const steps = fc.array(fc.oneof(fc.constant('turn' as const), fc.nat(1_000)), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      anyStatuses,
      steps,
      fc.integer({ min: 1, max: 250 }),
      async (statuses, between, count) => {
        const watchers = createWatchers();
        const events = [...statuses.filter((status) => status !== 'READ'), 'READ' as const];
        const states = events.map((_, index) =>
          events
            .slice(0, index + 1)
            .map((status) => news('m', status))
            .reduce(merge),
        );
        const watches = Array.from({ length: count }, () => {
          const watch = watchers.open(keyText(key('m')));
          const seen: Message[] = [];
          return { watch, seen, left: false, done: read(watch, (message) => void seen.push(message)) };
        });
        for (const [index, state] of states.entries()) {
          watchers.tell(state);
          const step = between[index];
          if (step === 'turn') await nextTurn();
          const leaving = step === undefined || step === 'turn' ? undefined : watches[step % count];
          if (leaving) {
            leaving.left = true;
            await leaving.watch.return?.();
          }
        }
        await Promise.all(watches.map(({ done }) => done));
        for (const { seen, left } of watches) {
          const revisions = seen.map(revisionOf);
          expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
          if (!left) expect(seen.at(-1)).toEqual(states.at(-1));
        }
        expect(watchers.size).toBe(0);
      },
    ),
    { numRuns: 30 },
  );
});

test('the states that are counted as pushed are those that were handed on, but for what was there before', async () => {
  const pushed: Message[] = [];
  const watchers = createWatchers((message) => pushed.push(message));
  const watch = watchers.open(keyText(key('m')));
  watchers.tell(news('m', 'SENT'));
  await watch.next();
  const failed = merge(news('m', 'SENT'), news('m', 'FAILED'));
  watchers.tell(failed);
  expect(pushed).toEqual([]);
  const read = merge(failed, news('m', 'READ'));
  watchers.tell(read);
  await watch.next();
  expect(pushed).toEqual([read]);
});

test('callbacks for messages with hundreds of watches each are pushed by SQLite a few in each turn too', async () => {
  await using directory = await temporaryDirectory();
  let pushed = 0;
  const onPush = () => {
    pushed += 1;
  };
  await using store = await openSqliteStore({ path: directory.file('db'), onPush });
  const ids = Array.from({ length: 20 }, (_, index) => `m${index}`);
  await store.record(ids.map((id) => news(id, 'SENT')));
  const watches = await Promise.all(
    ids.flatMap((id) => Array.from({ length: 300 }, () => store.watch(key(id)))),
  );
  const readers = watches.map(async (states) => {
    if (states) await read(states, () => undefined);
  });
  const written = Promise.all(ids.map((id) => store.record([news(id, 'READ')])));
  while (pushed < readers.length) {
    const before = pushed;
    await nextTurn();
    expect(pushed - before).toBeLessThanOrEqual(2 * pushesPerTurn);
  }
  await Promise.all([...readers, written]);
});
