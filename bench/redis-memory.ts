import { type RedisServer, startRedisServer } from '../test/support/redis-server.ts';
import type { Figures, Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { loadWithPosts } from './load/http-load.ts';
import { graphqlDialect, sendTexts } from './load/mutations.ts';
import { openSubscribers } from './load/subscribers.ts';
import { makeKnown, measureGrowth } from './memory.ts';
import { withinLimit } from './within-limit.ts';

const count = 10_000;
const rounds = 3;
const words = ['sent', 'delivered', 'read'];

/** What one round measured, in KiB each. */
interface Sizes {
  /** Of the node, for each socket with one subscription. */
  readonly node: number;
  readonly sqliteNode: number;
  /** Of Redis, for each message that a node watches. */
  readonly watched: number;
  /** Of Redis, for each message with its send and four events. */
  readonly message: number;
}

/**
 * The memory of a node and of Redis for each message that is watched, and of Redis for each that is kept. The node on
 * SQLite beside it tells what watching on Redis costs. Each round has servers of its own.
 */
export async function benchmarkRedisMemory(): Promise<Report> {
  const sizes: Sizes[] = [];
  for (let round = 0; round < rounds; round += 1) sizes.push(await measureRound());
  const figures = (name: string, pick: (size: Sizes) => number): Figures => ({
    name,
    values: sizes.map(pick),
  });
  return {
    title: `Memory on Redis, at ${count.toLocaleString('en')}`,
    unit: 'KiB',
    target: { atMost: 16 },
    gateway: figures('node, each idle subscription', ({ node }) => node),
    references: [figures('the same on SQLite', ({ sqliteNode }) => sqliteNode)],
    besides: [
      figures('Redis, each watched message', ({ watched }) => watched),
      figures('Redis, each message kept', ({ message }) => message),
    ],
  };
}

async function measureRound(): Promise<Sizes> {
  await using redis = await startRedisServer();
  await using gateway = await startGatewayUnderTest({ env: { STORE_URL: redis.url } });
  await using onSqlite = await startGatewayUnderTest();
  const ids = Array.from({ length: count }, (_, index) => `message-${index}`);
  for (const each of [gateway, onSqlite]) await makeKnown(each, ids);
  const node = await measureGrowth(gateway, ids, 1);
  const sqliteNode = await measureGrowth(onSqlite, ids, 1);
  const watched = await measureWatched(redis, gateway, ids);
  const message = await measureKept(redis, gateway);
  return { node: node.later, sqliteNode: sqliteNode.later, watched, message };
}

/** On one socket a hundred messages, so that sockets weigh nothing; the node's connections to Redis are there already. */
async function measureWatched(
  redis: RedisServer,
  { port }: GatewayUnderTest,
  ids: readonly string[],
): Promise<number> {
  const before = await usedBytes(redis);
  using subscribers = await openSubscribers(port, count / 100);
  await withinLimit('every subscription shows its first state', subscribers.watch(ids));
  return ((await usedBytes(redis)) - before) / 1024 / count;
}

async function measureKept(redis: RedisServer, gateway: GatewayUnderTest): Promise<number> {
  const { port, callbackPath: path } = gateway;
  const before = await usedBytes(redis);
  const ids = await sendTexts({ port, dialect: graphqlDialect, count, inFlight: 32 });
  for (const status of words) {
    const bodies = ids.map((message_id) => JSON.stringify({ message_id, status }));
    const nextBody = () => bodies.pop();
    await loadWithPosts({ port, path, inFlight: 64, nextBody, onAnswer: () => undefined });
  }
  return ((await usedBytes(redis)) - before) / 1024 / count;
}

async function usedBytes(redis: RedisServer): Promise<number> {
  const memory = String(await redis.command('INFO', 'memory'));
  return Number(/^used_memory:([0-9]+)/m.exec(memory)?.[1]);
}
