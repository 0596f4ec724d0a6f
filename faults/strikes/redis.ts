import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import type { RedisRig } from '../rig/redis-rig.ts';
import { until } from './until.ts';

/** Redis is gone without a word, and comes back with what is in its append-only file. */
export const killRedis: Fault<RedisRig> = {
  name: 'kill -9 Redis',
  promise: 'sockets stay open, and are right again once it is back',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, scale, outage, manyTimes }) {
    await manyTimes(scale.times, () => outage(() => rig.redis.restart()));
    return `killed and started again ${scale.times} times`;
  },
};

/** Redis stands still: connections to it stay open, and nothing answers. */
export const freezeRedis: Fault<RedisRig> = {
  name: 'freeze Redis',
  promise: 'every callback is answered, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, scale, outage }) {
    await outage(async () => {
      rig.redis.freeze();
      await delay(scale.awayMs);
      rig.redis.thaw();
    });
    return `stood still for ${scale.awayMs / 1000} s`;
  },
};

/** The connections that wake the nodes are cut, and whatever was on its way over them is lost in silence. */
export const cutWakeUps: Fault<RedisRig> = {
  name: 'cut every pub/sub connection',
  promise: 'nothing is missed, refused or disconnected',
  costs: [],
  async strike({ rig, scale, manyTimes }) {
    let cut = 0;
    await manyTimes(scale.times, async () => {
      await until('every node listens', async () => (await countListeners(rig)) >= rig.nodes.urls().length);
      cut += Number(await rig.redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    });
    return `${cut} connections cut in ${scale.times} strokes`;
  },
};

async function countListeners({ redis }: RedisRig): Promise<number> {
  const list = String(await redis.command('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  return list.split('\n').filter((line) => line.startsWith('id=')).length;
}

const megabyte = 1024 * 1024;

/** Redis has no memory left for anything new, and deletes nothing to get some. */
export const fillMemory: Fault<RedisRig> = {
  name: 'fill maxmemory',
  promise: 'what cannot be kept is refused, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, scale, outage, outcomes }) {
    const { redis } = rig;
    const before = outcomes.callbacks.refused;
    const info = String(await redis.command('INFO', 'memory'));
    const used = Number(/^used_memory:([0-9]+)/m.exec(info)?.[1]);
    await redis.command('CONFIG', 'SET', 'maxmemory', String(used + 16 * megabyte));
    await outage(async () => {
      await redis.command('SETRANGE', 'somebody-elses', String(32 * megabyte), 'x');
      await delay(scale.awayMs / 2);
      await redis.command('DEL', 'somebody-elses');
    });
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    const refused = outcomes.callbacks.refused - before;
    if (refused === 0) throw new Error('nothing was refused');
    return `full for ${scale.awayMs / 2000} s`;
  },
};
