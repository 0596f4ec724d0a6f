import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyText, type Message, merge, revisionOf } from '../../src/message.ts';
import { createWatched, type MessageState } from '../../src/store/postgres/watched.ts';
import { increases } from './contract/test-store.ts';
import { key, news } from './samples.ts';

const steps = ['ACCEPTED', 'SENT', 'DELIVERED', 'deleted'] as const;

/** The states that a message goes through, each with the number of its change. */
function historyOf(all: readonly (typeof steps)[number][]): MessageState[] {
  let message: Message | null = null;
  let number = 0;
  return all.map((step, index) => {
    if (step === 'deleted') message = null;
    else {
      if (!message) number += 1;
      message = merge(message ?? undefined, news('m1', step));
    }
    return { ...key('m1'), asOf: index + 1, number: message && number, message };
  });
}

const anyHistory = fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 8 }).map(historyOf);

/** Some of them, in any order and more than once, and the last. */
const anyOrder = anyHistory.chain((history) =>
  fc.tuple(
    fc.constant(history),
    fc
      .array(fc.nat(history.length - 1), { maxLength: 12 })
      .chain((some) => fc.shuffledSubarray([...some, history.length - 1], { minLength: some.length + 1 })),
  ),
);

test('in whatever order states come, a watch ends up with the last one, or ended, and never goes back', async () => {
  await fc.assert(
    fc.asyncProperty(anyOrder, async ([history, order]) => {
      const watched = createWatched(undefined);
      const states = watched.watchers.open(keyText(key('m1')));
      const told = watched.add(key('m1'));
      const seen: Message[] = [];
      let hasEnded = false;
      for (const index of order) {
        const state = history[index];
        if (state) watched.settle(state);
        // What waits is taken; a read that would wait is ended by the next state or by return().
        const next = states.next();
        const taken = await Promise.race([next, Promise.resolve(undefined)]);
        if (taken?.value) seen.push(taken.value);
        else if (taken?.done) hasEnded = true;
        else void next.then(({ value }) => value && seen.push(value));
      }
      await Promise.resolve();
      await states.return?.();
      const last = history.at(-1);
      expect(seen.map(revisionOf)).toSatisfy(increases);
      if (hasEnded) expect(history.some(({ message }) => message === null)).toBe(true);
      else expect(told).toEqual({ asOf: last?.asOf, number: last?.number });
      const isOneLife = history.every(({ message }) => message !== null);
      if (isOneLife)
        expect(seen.at(-1) && revisionOf(seen.at(-1) as Message)).toBe(revisionOf(last?.message as Message));
    }),
  );
});

test('nobody who has left leaves anything behind', async () => {
  const watched = createWatched(undefined);
  const all = ['m1', 'm2', 'm1'].map((id) => {
    const states = watched.watchers.open(keyText(key(id)));
    watched.add(key(id));
    return states;
  });
  expect(watched.businesses.size).toBe(1);
  for (const states of all) await states.return?.();
  expect(watched.businesses.size).toBe(0);
});
