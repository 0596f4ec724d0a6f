import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createYieldingQueue } from '../src/yielding-queue.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('a task runs at once while its turn has not run its share', () => {
  const queue = createYieldingQueue(3);
  const ran: number[] = [];
  for (let task = 0; task < 5; task += 1) queue.run(() => ran.push(task));
  expect(ran).toEqual([0, 1, 2]);
});

test('tasks run in their order, no more than a share in one turn, however they are queued', async () => {
  const bursts = fc.array(fc.nat(20), { minLength: 1, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 7 }), bursts, async (share, sizes) => {
      const queue = createYieldingQueue(share);
      const ran: number[] = [];
      let queued = 0;
      let before = 0;
      async function endTurn(): Promise<void> {
        await nextTurn();
        expect(ran.length - before).toBeLessThanOrEqual(share * 2);
        before = ran.length;
      }
      for (const size of sizes) {
        for (let task = 0; task < size; task += 1) {
          const name = queued++;
          queue.run(() => ran.push(name));
        }
        await endTurn();
      }
      while (ran.length < queued) await endTurn();
      expect(ran).toEqual(Array.from({ length: queued }, (_, name) => name));
    }),
    { numRuns: 50 },
  );
});

test('a task may queue another', async () => {
  const queue = createYieldingQueue(2);
  let ran = 0;
  const again = () => {
    ran += 1;
    if (ran < 7) queue.run(again);
  };
  queue.run(again);
  expect(ran).toBe(2);
  while (ran < 7) await nextTurn();
});
