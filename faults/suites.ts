import type { Fault } from './fault.ts';
import { type ClusterRig, startClusterRig } from './rig/cluster-rig.ts';
import { type RedisRig, startRedisRig } from './rig/redis-rig.ts';
import type { Rig } from './rig/rig.ts';
import { startSqliteRig } from './rig/sqlite-rig.ts';
import type { Scale } from './scale.ts';
import { failOver, moveSlots } from './strikes/cluster.ts';
import { killNode, killOnlyNode, restartOnlyNode, rollingRestart } from './strikes/nodes.ts';
import { cutWakeUps, fillMemory, freezeRedis, killRedis } from './strikes/redis.ts';

/** Faults that strike one rig, one after the other: each must leave it whole. */
export interface Suite<R extends Rig> {
  readonly name: string;
  readonly start: (env: Scale['env']) => Promise<R>;
  readonly faults: readonly Fault<R>[];
}

export const redisSuite: Suite<RedisRig> = {
  name: 'three nodes on one Redis',
  start: startRedisRig,
  faults: [killNode, rollingRestart, killRedis, freezeRedis, cutWakeUps, fillMemory],
};

export const clusterSuite: Suite<ClusterRig> = {
  name: 'three nodes on a Redis Cluster of three primaries with a replica each',
  start: startClusterRig,
  faults: [failOver, moveSlots],
};

export const sqliteSuite: Suite<Rig> = {
  name: 'one node on SQLite',
  start: startSqliteRig,
  faults: [killOnlyNode, restartOnlyNode],
};
