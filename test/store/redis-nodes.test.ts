import { afterAll, beforeAll, expect, test } from 'vitest';
import { revisionOf, statusOf } from '../../src/message.ts';
import { openRedisStore, type RedisOptions } from '../../src/store/redis.ts';
import { placeOfMessage } from '../../src/store/redis-keys.ts';
import { describeWithRedis } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { collect, increases, watchKnown } from './contract/test-store.ts';
import { accepted, beginSend, business, key, keyedSend, newSend, news, someTime } from './samples.ts';

describeWithRedis('several nodes on one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('of fifty begins at once with one key over three nodes, one is begun', async () => {
    await using nodes = await openNodes(server, 3);
    for (let round = 0; round < 20; round += 1) {
      const calls = Array.from({ length: 50 }, (_, index) =>
        nodes.at(index % 3).begin(keyedSend(`k${round}`)),
      );
      const kinds = (await Promise.all(calls)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'begun')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'running')).toHaveLength(49);
    }
  });

  test('a send that one node began is settled by another, and retold by a third', async () => {
    await using nodes = await openNodes(server, 3);
    const attempt = await beginSend(nodes.at(0), keyedSend('k'));
    const message = await nodes.at(1).accept(attempt, accepted('m1'));
    expect(await nodes.at(2).begin(keyedSend('k'))).toEqual({ kind: 'accepted', message });
  });

  test('what one node takes in, the watchers of another see, in order and once', async () => {
    await using nodes = await openNodes(server, 3);
    const ids = Array.from({ length: 200 }, (_, index) => `m${index}`);
    await nodes.at(0).record(ids.map((id) => news(id, 'ACCEPTED')));
    const seen = await Promise.all(
      ids
        .map(async (id, index) => collect(await watchKnown(nodes.at(index % 2), id)))
        .map(async (collecting, index) => {
          for (const status of ['SENT', 'DELIVERED', 'READ'] as const)
            await nodes.at(2).record([news(`m${index}`, status)]);
          return collecting;
        }),
    );
    for (const states of seen) {
      expect(states.map(revisionOf)).toSatisfy(increases);
      expect(states.map(statusOf).at(-1)).toBe('READ');
    }
  });

  test('what one node forgets and prunes, watchers of another see end', async () => {
    await using nodes = await openNodes(server, 2);
    await nodes.at(0).record([accepted('forgotten'), news('pruned', 'SENT', someTime - 1)]);
    const states = await Promise.all(['forgotten', 'pruned'].map((id) => watchKnown(nodes.at(1), id)));
    await Promise.all(states.map((each) => each.next()));
    const ends = states.map((each) => each.next());
    await nodes.at(0).forget({ business, client: 'jon', clientPhone: null });
    await nodes.at(0).prune(someTime);
    expect(await Promise.all(ends)).toEqual(Array(2).fill({ done: true, value: undefined }));
    expect(nodes.at(1).watching).toBe(0);
  });

  test('a message that is deleted and comes back while nobody could say so ends the watches of the old one', async () => {
    await using nodes = await openNodes(server, 2, { positionCheckMs: 200 });
    await nodes.at(0).record([news('m1', 'SENT'), news('m1', 'DELIVERED')]);
    const states = await watchKnown(nodes.at(1), 'm1');
    await states.next();
    const next = states.next();
    const record = String(await server.command('GET', placeOfMessage(key('m1')).key));
    // The same as a deletion and a later write, without their wake-ups.
    const [header = '', ...lines] = record.split('\n');
    const later = header.split('\t').with(2, '9'.repeat(16)).join('\t');
    await server.command('SET', placeOfMessage(key('m1')).key, [later, ...lines].join('\n'));
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('a wake-up that is lost in silence is made up for by the position check', async () => {
    await using nodes = await openNodes(server, 1, { positionCheckMs: 200 });
    await nodes.at(0).record([news('m1', 'SENT')]);
    const states = await watchKnown(nodes.at(0), 'm1');
    await states.next();
    const place = placeOfMessage(key('m1'));
    const record = String(await server.command('GET', place.key));
    await server.command('SET', place.key, `${record}\nREAD\t2\t2\t"read"\t-\t-`);
    expect((await collect(states)).map(statusOf)).toEqual(['READ']);
  });

  test('an event reaches the nodes that watch it, and wakes no other', async () => {
    await using nodes = await openNodes(server, 3);
    await nodes.at(0).record([news('m1', 'SENT')]);
    const { key: channel } = placeOfMessage(key('m1'));
    expect(await subscribersOf(server, channel)).toBe(0);
    const states = await watchKnown(nodes.at(1), 'm1');
    const others = await watchKnown(nodes.at(1), 'm1');
    expect(await subscribersOf(server, channel)).toBe(1);
    await states.return?.();
    expect(await subscribersOf(server, channel)).toBe(1);
    await others.return?.();
    await expect.poll(() => subscribersOf(server, channel)).toBe(0);
  });

  test('a hundred thousand watches leave no subscription behind', { timeout: 120_000 }, async () => {
    await using nodes = await openNodes(server, 2);
    const ids = Array.from({ length: 500 }, (_, index) => `m${index}`);
    await nodes.at(0).record(ids.map((id) => news(id, 'SENT')));
    let left = 100_000;
    const visit = async (_: unknown, visitor: number) => {
      while (left > 0) {
        left -= 1;
        const states = await watchKnown(nodes.at(left % 2), `m${(left * 7 + visitor) % ids.length}`);
        if (left % 3 === 0) await states.next();
        if (left % 3 === 1) void states.next();
        await states.return?.();
      }
    };
    await Promise.all(Array.from({ length: 400 }, visit));
    expect([nodes.at(0).watching, nodes.at(1).watching]).toEqual([0, 0]);
    await expect.poll(() => server.command('PUBSUB', 'SHARDCHANNELS')).toEqual([]);
  });

  test('thirty thousand watches are all heard again after their connection was cut', {
    timeout: 120_000,
  }, async () => {
    await using nodes = await openNodes(server, 2);
    const ids = Array.from({ length: 30_000 }, (_, index) => `m${index}`);
    for (const some of batchesOf(ids)) await nodes.at(0).record(some.map((id) => news(id, 'SENT')));
    const watches = [];
    for (const some of batchesOf(ids))
      watches.push(...(await Promise.all(some.map((id) => watchKnown(nodes.at(1), id)))));
    await Promise.all(watches.map((states) => states.next()));
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await nodes.at(0).record(ids.slice(0, 100).map((id) => news(id, 'READ')));
    const rest = watches.slice(0, 100).map((states) => collect(states));
    for (const states of await Promise.all(rest)) expect(states.map(statusOf)).toEqual(['READ']);
    const heard = async () =>
      /ssub=(29900) /.exec(String(await server.command('CLIENT', 'LIST', 'TYPE', 'pubsub')))?.[1];
    await expect.poll(heard, { timeout: 30_000, interval: 200 }).toBe('29900');
  });

  test('lists are the same on every node, and cursors of one are good on another', async () => {
    await using nodes = await openNodes(server, 2);
    const ids = Array.from({ length: 30 }, (_, index) => `m${index}`);
    for (const [index, id] of ids.entries()) await nodes.at(index % 2).record([news(id, 'SENT')]);
    await beginSend(nodes.at(0), newSend());
    const seen: string[] = [];
    for (let after: string | undefined, page = 0; ; page += 1) {
      const { entries, hasMore } = await nodes.at(page % 2).list({ business, first: 7, after });
      seen.push(...entries.map(({ message }) => message.id));
      after = entries.at(-1)?.cursor;
      if (!hasMore) break;
    }
    expect(seen).toEqual(ids.toReversed());
    expect(await nodes.at(0).sends({ business, first: 9 })).toEqual(
      await nodes.at(1).sends({ business, first: 9 }),
    );
  });
});

async function openNodes(server: RedisServer, count: number, options: Omit<RedisOptions, 'url'> = {}) {
  await server.flush();
  const stack = new AsyncDisposableStack();
  const stores = await Promise.all(
    Array.from({ length: count }, async () =>
      stack.use(await openRedisStore({ url: server.url, ...options })),
    ),
  );
  return {
    at: (index: number) => {
      const store = stores[index];
      if (!store) throw new Error(`There is no node ${index}.`);
      return store;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function batchesOf(ids: readonly string[]): string[][] {
  return Array.from({ length: ids.length / 1_000 }, (_, index) =>
    ids.slice(index * 1_000, (index + 1) * 1_000),
  );
}

async function subscribersOf(server: RedisServer, channel: string): Promise<number> {
  const reply = await server.command('PUBSUB', 'SHARDNUMSUB', channel);
  return Number((reply as readonly unknown[])[1]);
}
