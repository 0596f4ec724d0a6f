import { type RedisCluster, startRedisCluster } from '../../test/support/redis-cluster.ts';
import { startFakePingup } from '../load/pingup.ts';
import { killOnExit } from './kill-on-exit.ts';
import { startNodes } from './nodes.ts';
import type { Rig } from './rig.ts';

/** Three nodes on a cluster of three primaries, each with a replica that must have a write before it counts. */
export interface ClusterRig extends Rig {
  readonly cluster: RedisCluster;
}

/** How long a server of the cluster may be silent before another one takes its place, in ms. */
const nodeTimeoutMs = 2_000;

export async function startClusterRig(env: Readonly<Record<string, string>> = {}): Promise<ClusterRig> {
  await using starting = new AsyncDisposableStack();
  const cluster = starting.use(await startRedisCluster({ nodeTimeoutMs }));
  starting.use(killOnExit(() => cluster.nodes.map(({ pid }) => pid)));
  const pingup = starting.use(await startFakePingup());
  const options = {
    count: 3,
    storeUrl: cluster.url,
    pingupUrl: pingup.url,
    env: { REDIS_REPLICAS: '1', ...env },
  };
  const nodes = starting.use(await startNodes(options));
  const all = starting.move();
  return { cluster, pingup, nodes, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
