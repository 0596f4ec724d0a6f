import { type RedisServer, startRedisServer } from '../test/support/redis-server.ts';
import { type CallbackTarget, runCallbacks } from './callbacks.ts';
import type { Figures, Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { openSubscribers } from './load/subscribers.ts';
import { makeKnown } from './memory.ts';

const messageCount = 6_000;
const socketCount = 600;
const rounds = 3;

/** Nodes on one store. */
interface SetUp extends AsyncDisposable {
  readonly watchedNodes: readonly GatewayUnderTest[];
  /** Null: on SQLite. */
  readonly redis: RedisServer | null;
}

interface Outcome {
  readonly name: string;
  /** Callbacks a second, one for each round. */
  readonly rates: readonly number[];
  /** What Redis sends out for each callback, in bytes, over all its connections. */
  readonly bytes: readonly number[];
}

/**
 * Callbacks a second through one, two and three nodes on one Redis, the subscriptions spread over them, so that most
 * states are pushed by another node than took the callback; and through one process on SQLite. Then the same on one node,
 * with further nodes beside it on which nobody watches: they are to cost nothing. Checked: as in the benchmark of
 * callbacks. One after the other, and all share two cores with the load, so more nodes are not more machines.
 */
export async function benchmarkNodes(): Promise<readonly Report[]> {
  const sqlite = await measure('1 on SQLite', onSqlite());
  const one = await measure('1 on Redis', onRedis(1));
  const two = await measure('2 on Redis', onRedis(2));
  const three = await measure('3 on Redis', onRedis(3));
  const besideTwo = await measure('and 2 nobody watches on', onRedis(1, 2));
  const besideFour = await measure('and 4 nobody watches on', onRedis(1, 4));
  const idle = [besideTwo, besideFour];
  return [
    {
      title: `Durable callbacks on one Redis, ${messageCount.toLocaleString('en')} subscriptions spread over the nodes`,
      unit: '/s',
      target: { ofFirstReference: 0.5 },
      gateway: rateOf(one),
      references: [sqlite, two, three, ...idle].map(rateOf),
    },
    {
      title: 'What Redis sends for each callback, when nodes without a subscriber are added',
      unit: 'bytes',
      target: { ofFirstReference: 0.97 },
      gateway: { name: one.name, values: one.bytes },
      references: idle.map(({ name, bytes }) => ({ name, values: bytes })),
    },
  ];
}

async function onRedis(watched: number, idle = 0): Promise<SetUp> {
  await using parts = new AsyncDisposableStack();
  const redis = parts.use(await startRedisServer());
  const nodes: GatewayUnderTest[] = [];
  for (let count = 0; count < watched + idle; count += 1)
    nodes.push(parts.use(await startGatewayUnderTest({ env: { STORE_URL: redis.url } })));
  const all = parts.move();
  const dispose = () => all.disposeAsync();
  return { watchedNodes: nodes.slice(0, watched), redis, [Symbol.asyncDispose]: dispose };
}

async function onSqlite(): Promise<SetUp> {
  const node = await startGatewayUnderTest();
  return { watchedNodes: [node], redis: null, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

async function measure(name: string, starting: Promise<SetUp>): Promise<Outcome> {
  await using setUp = await starting;
  const { watchedNodes, redis } = setUp;
  using sockets = new DisposableStack();
  const targets: CallbackTarget[] = [];
  for (const { port, callbackPath: path } of watchedNodes) {
    const subscribers = sockets.use(await openSubscribers(port, socketCount / watchedNodes.length));
    targets.push({ port, path, subscribers });
  }
  const rates: number[] = [];
  const bytes: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const ids = Array.from({ length: messageCount }, (_, index) => `${round}-${index}`);
    for (const node of watchedNodes.slice(0, 1)) await makeKnown(node, ids);
    const before = await bytesOut(redis);
    const rate = await runCallbacks(targets, ids);
    // Each message has three callbacks, and each is pushed.
    const sent = ((await bytesOut(redis)) - before) / (messageCount * 3);
    if (round === 0) continue;
    rates.push(rate);
    bytes.push(sent);
  }
  return { name, rates, bytes };
}

async function bytesOut(redis: RedisServer | null): Promise<number> {
  const stats = String(await redis?.command('INFO', 'stats'));
  return Number(/^total_net_output_bytes:([0-9]+)/m.exec(stats)?.[1] ?? 0);
}

function rateOf({ name, rates }: Outcome): Figures {
  return { name, values: rates };
}
