import { afterAll, beforeAll, expect, test } from 'vitest';
import { prefixes } from '../../src/store/redis-keys.ts';
import { partitionCount, slotsOfTags } from '../../src/store/redis-partitions.ts';
import { describeWithRedis } from '../support/programs.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { storeContract } from './contract.ts';
import { openTestStore } from './redis-test-store.ts';

describeWithRedis('three primaries and three replicas', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster[Symbol.asyncDispose]());

  storeContract('Redis Cluster', () => openTestStore(cluster, { replicas: 1 }));

  test('each partition is in an equal share of the slots, and in the slot that the server puts it in', async () => {
    const [node] = cluster.nodes;
    const slots = await Promise.all(
      prefixes.map((prefix) => node?.command('CLUSTER', 'KEYSLOT', `${prefix}m:a`)),
    );
    expect(slots).toEqual(slotsOfTags);
    const shares = slotsOfTags.map((slot) => Math.floor((slot * partitionCount) / 16_384));
    expect(shares).toEqual(prefixes.map((_, partition) => partition));
  });
});
