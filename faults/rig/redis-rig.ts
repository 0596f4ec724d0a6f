import { type RedisServer, startRedisServer } from '../../test/support/redis-server.ts';
import { startFakePingup } from '../load/pingup.ts';
import { killOnExit } from './kill-on-exit.ts';
import { startNodes } from './nodes.ts';
import type { Rig } from './rig.ts';

/** Three nodes on one Redis. */
export interface RedisRig extends Rig {
  readonly redis: RedisServer;
}

export async function startRedisRig(env: Readonly<Record<string, string>> = {}): Promise<RedisRig> {
  await using starting = new AsyncDisposableStack();
  const redis = starting.use(await startRedisServer());
  starting.use(killOnExit(() => [redis.pid]));
  const pingup = starting.use(await startFakePingup());
  const options = { count: 3, storeUrl: redis.url, pingupUrl: pingup.url, env };
  const nodes = starting.use(await startNodes(options));
  const all = starting.move();
  return { redis, pingup, nodes, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
