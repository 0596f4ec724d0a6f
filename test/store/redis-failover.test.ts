import { expect, test } from 'vitest';
import { statusOf } from '../../src/message.ts';
import type { Store } from '../../src/store/port.ts';
import { openRedisStore } from '../../src/store/redis.ts';
import { partitionCount, slotsOfTags } from '../../src/store/redis-partitions.ts';
import { moveSlot } from '../support/move-slot.ts';
import { describeWithRedis } from '../support/programs.ts';
import { type ClusterNode, type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { startRedisSentinel } from '../support/redis-sentinel.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { collect, watchKnown } from './contract/test-store.ts';
import { key, keyedSend, news } from './samples.ts';

describeWithRedis('a primary that changes', () => {
  test('by a failover that was asked for: watchers get each right state, and no subscription stays behind', async () => {
    await using cluster = await startRedisCluster();
    await using store = await openRedisStore({ url: cluster.url, replicas: 1 });
    const load = await watchMany(store, 120);
    await eachShard(cluster, async (_, replica) => {
      await replica.command('CLUSTER', 'FAILOVER');
      await expect.poll(async () => rolesOf([replica])).toEqual(['master']);
    });
    await load.finish();
    await expect.poll(() => channelsIn(cluster)).toEqual([]);
  });

  test('by kill -9 in mid-load: nothing acknowledged is missing, and watchers get each right state', async () => {
    await using cluster = await startRedisCluster({ nodeTimeoutMs: 1_500 });
    await using store = await openRedisStore({ url: cluster.url, replicas: 1 });
    await using other = await openRedisStore({ url: cluster.url, replicas: 1 });
    const load = await watchMany(store, 120);
    const writer = writeOn(other);
    await expect.poll(() => writer.acknowledged.size).toBeGreaterThan(100);
    await cluster.nodes[0]?.kill();
    await expect.poll(() => rolesOf(cluster.nodes.slice(3, 4))).toEqual(['master']);
    // Until it is back, the shard has no replica to wait for.
    await cluster.nodes[0]?.restart();
    await expect.poll(() => serves(store)).toBe(true);
    await writer.stop();
    for (const id of writer.acknowledged) expect(await other.find(key(id))).toEqual(news(id, 'SENT'));
    await load.finish();
  });

  test('for a slot that moves under load: writes, watches, lists and keys go on', async () => {
    await using cluster = await startRedisCluster();
    await using store = await openRedisStore({ url: cluster.url, replicas: 1 });
    const load = await watchMany(store, 300);
    await store.begin(keyedSend('k'));
    const writer = writeOn(store);
    await expect.poll(() => writer.acknowledged.size).toBeGreaterThan(200);
    const [from, to] = await cluster.primaries();
    if (!from || !to) throw new Error('no primaries');
    const moved = slotsOfTags.slice(0, Math.ceil(partitionCount / 8));
    for (const slot of moved) await moveSlot(cluster, slot, from, to);
    await writer.stop();
    await expect.poll(() => serves(store)).toBe(true);
    for (const id of writer.acknowledged) expect(await store.find(key(id))).toEqual(news(id, 'SENT'));
    const listed = new Set(await allIds(store));
    expect([...writer.acknowledged].filter((id) => !listed.has(id))).toEqual([]);
    expect(await store.begin(keyedSend('k'))).toEqual({ kind: 'running' });
    const wokenLate = await load.finish();
    expect(wokenLate).toBeLessThan(5_000);
    await expect.poll(() => channelsIn(cluster)).toEqual([]);
  });

  test('by a sentinel: the new one is found, and watchers get each right state', async () => {
    await using primary = await startRedisServer();
    await using replica = await startRedisServer(['--replicaof', '127.0.0.1', String(primary.port)]);
    await using sentinel = await startRedisSentinel(primary);
    const replicas = async () => (await sentinel.command('SENTINEL', 'REPLICAS', 'the-master')) as unknown[];
    await expect.poll(async () => (await replicas()).length).toBe(1);
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/the-master`;
    await using store = await openRedisStore({ url, acceptedRisks: ['failover'] });
    const load = await watchMany(store, 50);
    const size = await primary.command('DBSIZE');
    await expect.poll(() => replica.command('DBSIZE')).toBe(size);
    await primary.kill();
    await expect.poll(() => serves(store)).toBe(true);
    expect(await rolesOf([replica])).toEqual(['master']);
    await load.finish();
  });
});

/** Watches many messages; `finish` has each read, and checks what its watchers saw. Resolves to how long that took, in ms. */
async function watchMany(store: Store, count: number) {
  const ids = Array.from({ length: count }, (_, index) => `watched-${index}`);
  await store.record(ids.map((id) => news(id, 'ACCEPTED')));
  const seen = Promise.all((await Promise.all(ids.map((id) => watchKnown(store, id)))).map(collect));
  return {
    finish: async (writer = store) => {
      const record = () => writer.record(ids.map((id) => news(id, 'READ')));
      await expect.poll(() => record().then(() => true)).toBe(true);
      const began = performance.now();
      for (const states of await seen) expect(states.map(statusOf).at(-1)).toBe('READ');
      expect(store.watching).toBe(0);
      return performance.now() - began;
    },
  };
}

/** Writes new messages until it is stopped, and knows which were acknowledged. */
function writeOn(store: Store) {
  const acknowledged = new Set<string>();
  let going = true;
  const write = async (_: unknown, writer: number) => {
    for (let count = 0; going; count += 1) {
      const id = `written-${writer}-${count}`;
      await store.record([news(id, 'SENT')]).then(
        () => acknowledged.add(id),
        // A refusal may come at once: the rest of the process is to have its turn.
        () => new Promise(setImmediate),
      );
    }
  };
  const writing = Promise.all(Array.from({ length: 8 }, write));
  return {
    acknowledged,
    stop: async () => {
      going = false;
      await writing;
    },
  };
}

/** Whether every partition can be written. */
function serves(store: Store): Promise<boolean> {
  const all = Array.from({ length: 300 }, (_, index) => news(`served-${index}`, 'SENT'));
  return store.record(all).then(() => true);
}

async function allIds(store: Store): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.list({ business: 'acme', first: 100, after });
    ids.push(...page.entries.map(({ message }) => message.id));
    after = page.entries.at(-1)?.cursor;
    if (!page.hasMore) return ids;
  }
}

async function eachShard(
  cluster: RedisCluster,
  act: (primary: ClusterNode, replica: ClusterNode) => Promise<void>,
): Promise<void> {
  for (const [index, primary] of cluster.nodes.slice(0, 3).entries()) {
    const replica = cluster.nodes[index + 3];
    if (replica) await act(primary, replica);
  }
}

function rolesOf(nodes: readonly { command(...args: string[]): Promise<unknown> }[]): Promise<unknown[]> {
  return Promise.all(nodes.map(async (node) => ((await node.command('ROLE')) as unknown[])[0]));
}

/** The sharded channels that anybody listens to. */
async function channelsIn(cluster: RedisCluster): Promise<unknown[]> {
  return (await Promise.all(cluster.nodes.map((node) => node.command('PUBSUB', 'SHARDCHANNELS')))).flat();
}
