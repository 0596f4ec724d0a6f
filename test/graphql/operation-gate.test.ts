import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOperationGate } from '../../src/graphql/operation-gate.ts';
import { maxMutations } from '../../src/graphql/operation-runner.ts';
import type { Messaging } from '../../src/messaging.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { transports } from './both-transports.ts';
import { serveGraphql } from './serve-graphql.ts';

const nothing = () => 0;
/** Longer than a test runs. */
const waitMs = 600_000;
const kib = 1_024;

test('operations run at once only up to the limit of their weights, and each of them in the end', async () => {
  const weights = fc.array(fc.integer({ min: 1, max: 600 * kib }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(weights, async (all) => {
      const maxWeight = 1_000 * kib;
      const gate = createOperationGate({ maxWeight, waitMs });
      let running = 0;
      let most = 0;
      const results = all.map((weight, index) =>
        gate.run(weight, nothing, async () => {
          running += weight;
          most = Math.max(most, running);
          for (let turn = 0; turn < index % 3; turn += 1) await Promise.resolve();
          running -= weight;
          return index;
        }),
      );
      expect(await Promise.all(results)).toEqual(all.map((_, index) => index));
      expect(most).toBeLessThanOrEqual(maxWeight);
    }),
  );
});

test('an operation that is larger than the limit runs alone', async () => {
  const gate = createOperationGate({ maxWeight: 10, waitMs });
  expect(await Promise.all([1, 2].map((n) => gate.run(100, nothing, async () => n)))).toEqual([1, 2]);
});

test('beyond what may wait, in number, characters or time, an operation is refused with TOO_MANY_OPERATIONS', async () => {
  const tooMany = { code: 'TOO_MANY_OPERATIONS' };
  const held = Promise.withResolvers<void>();
  const hold = () => held.promise;
  const full = createOperationGate({ maxWeight: 10, maxWaiting: 1, waitMs });
  const running = [full.run(10, nothing, hold), full.run(10, nothing, hold)];
  await expect(full.run(10, nothing, hold)).rejects.toMatchObject(tooMany);
  const large = createOperationGate({ maxWeight: 10, maxWaitingCharacters: 10, waitMs });
  running.push(
    large.run(10, nothing, hold),
    large.run(10, () => 10, hold),
  );
  await expect(large.run(10, () => 1, hold)).rejects.toMatchObject(tooMany);
  const late = createOperationGate({ maxWeight: 10, waitMs: 1 });
  running.push(late.run(10, nothing, hold));
  await expect(late.run(10, nothing, hold)).rejects.toMatchObject(tooMany);
  held.resolve();
  await Promise.all(running);
});

/** A page of 2.5 MB, if all of it is as large as it can be. */
const largeQuery = '{ messages(first: 100) { edges { node { textMessage } } } }';

test.each(transports)(
  'large queries on %s run a few at once, and small ones and mutations do not wait for them',
  async (_name, run) => {
    const held = Promise.withResolvers<void>();
    let lists = 0;
    const messaging: Partial<Messaging> = {
      find: async () => undefined,
      deleteQuarantined: async () => 0,
      list: async () => {
        lists += 1;
        await held.promise;
        return { entries: [], hasMore: false };
      },
    };
    await using gateway = await serveGraphql({ messaging });
    const answers = Array.from({ length: 12 }, () => run(gateway, largeQuery));
    await expect.poll(() => lists).toBeGreaterThan(0);
    expect(await run(gateway, '{ message(id: "m") { status } }')).toEqual({ data: { message: null } });
    const mutation = 'mutation { deleteQuarantinedCallbacks(ids: ["1"]) { deleted } }';
    expect((await run(gateway, mutation)).errors).toBeUndefined();
    expect(lists).toBeLessThanOrEqual(5);
    held.resolve();
    for (const { errors } of await Promise.all(answers)) expect(errors).toBeUndefined();
    expect(lists).toBe(12);
  },
);

test('beyond 5,000 mutations at once, of all sockets, one is refused with TOO_MANY_OPERATIONS', async () => {
  const held = Promise.withResolvers<number>();
  let begun = 0;
  const messaging: Partial<Messaging> = {
    deleteQuarantined: () => {
      begun += 1;
      return held.promise;
    },
  };
  await using gateway = await serveGraphql({ messaging });
  const mutation = '{"query":"mutation { deleteQuarantinedCallbacks(ids: [\\"1\\"]) { deleted } }"}';
  const running: Promise<unknown>[] = [];
  for (let begin = 0; begin < maxMutations; begin += 100) {
    const socket = await openRawSocket(gateway.url);
    for (let n = 0; n < 100; n += 1) running.push(socket.run(mutation));
  }
  await expect.poll(() => begun).toBe(maxMutations);
  const one = await openRawSocket(gateway.url);
  const { errors } = await one.run(mutation);
  expect(errors).toMatchObject([{ extensions: { code: 'TOO_MANY_OPERATIONS' } }]);
  held.resolve(0);
  await Promise.all(running);
});
