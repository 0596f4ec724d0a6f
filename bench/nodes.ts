import { type RedisServer, startRedisServer } from '../test/support/redis-server.ts';
import { runCallbacks } from './callbacks.ts';
import type { Figures, Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { openSubscribers, type Subscribers } from './load/subscribers.ts';
import { makeKnown } from './memory.ts';

const messageCount = 6_000;
const socketCount = 600;
const rounds = 3;

/** A set-up of nodes on one store. */
interface SetUp extends AsyncDisposable {
  readonly name: string;
  readonly nodes: readonly GatewayUnderTest[];
  readonly subscribers: readonly Subscribers[];
  readonly rates: number[];
  /** Null: on SQLite. */
  readonly redis: RedisServer | null;
  /** What Redis sends out for each callback, in bytes, over all its connections. */
  readonly bytes: number[];
}

/**
 * Callbacks a second through one, two and three nodes on one Redis, the subscriptions spread over them, so that most
 * states are pushed by another node than took the callback; and through one process on SQLite. Then the same on one node,
 * with further nodes beside it on which nobody watches: they are to cost nothing. Checked: as in the benchmark of
 * callbacks. All share two cores with the load, so more nodes are not more machines.
 */
export async function benchmarkNodes(): Promise<readonly Report[]> {
  await using all = new AsyncDisposableStack();
  const open = async (setUp: Promise<SetUp>) => all.use(await setUp);
  const [one, two, three] = [await open(onRedis(1)), await open(onRedis(2)), await open(onRedis(3))];
  const sqlite = await open(onSqlite());
  const idle = [await open(onRedis(1, 2)), await open(onRedis(1, 6))];
  const setUps = [one, two, three, sqlite, ...idle];
  // The first round warms up; who begins takes turns.
  for (let round = 0; round <= rounds; round += 1)
    for (const setUp of round % 2 === 0 ? setUps : setUps.toReversed()) await runRound(setUp, round);
  return [
    {
      title: `Durable callbacks on one Redis, ${messageCount.toLocaleString('en')} subscriptions spread over the nodes`,
      unit: '/s',
      target: { ofFirstReference: 0.5 },
      gateway: rateOf(one),
      references: [rateOf(sqlite), rateOf(two), rateOf(three)],
    },
    {
      title: 'What Redis sends for each callback, when nodes without a subscriber are added',
      unit: 'bytes',
      target: { ofFirstReference: 0.97 },
      gateway: { name: one.name, values: one.bytes },
      references: idle.map(({ name, bytes }) => ({ name, values: bytes })),
      besides: idle.map(rateOf),
    },
  ];
}

async function onRedis(watching: number, idle = 0): Promise<SetUp> {
  await using parts = new AsyncDisposableStack();
  const redis = parts.use(await startRedisServer());
  const nodes: GatewayUnderTest[] = [];
  for (let count = 0; count < watching + idle; count += 1)
    nodes.push(parts.use(await startGatewayUnderTest({ env: { STORE_URL: redis.url } })));
  const others = idle > 0 ? `, ${idle} nobody watches on` : '';
  return setUp(`${watching} on Redis${others}`, nodes.slice(0, watching), redis, parts.move());
}

async function onSqlite(): Promise<SetUp> {
  await using parts = new AsyncDisposableStack();
  const node = parts.use(await startGatewayUnderTest());
  return setUp('1 on SQLite', [node], null, parts.move());
}

async function setUp(
  name: string,
  nodes: readonly GatewayUnderTest[],
  redis: RedisServer | null,
  parts: AsyncDisposableStack,
): Promise<SetUp> {
  const subscribers: Subscribers[] = [];
  for (const { port } of nodes)
    subscribers.push(parts.use(await openSubscribers(port, socketCount / nodes.length)));
  const dispose = () => parts.disposeAsync();
  return { name, nodes, subscribers, redis, rates: [], bytes: [], [Symbol.asyncDispose]: dispose };
}

async function runRound({ nodes, subscribers, redis, rates, bytes }: SetUp, round: number): Promise<void> {
  const [first] = nodes;
  if (!first) throw new Error('there is no node');
  const ids = Array.from({ length: messageCount }, (_, index) => `${round}-${index}`);
  await makeKnown(first, ids);
  const targets = nodes.flatMap(({ port, callbackPath: path }, at) => {
    const watchers = subscribers[at];
    return watchers ? [{ port, path, subscribers: watchers }] : [];
  });
  const before = await bytesOut(redis);
  const rate = await runCallbacks(targets, ids);
  const sent = (await bytesOut(redis)) - before;
  if (round === 0) return;
  rates.push(rate);
  // Each message has three, and each is pushed.
  bytes.push(sent / (messageCount * 3));
}

async function bytesOut(redis: RedisServer | null): Promise<number> {
  const stats = String(await redis?.command('INFO', 'stats'));
  return Number(/^total_net_output_bytes:([0-9]+)/m.exec(stats)?.[1] ?? 0);
}

function rateOf({ name, rates }: SetUp): Figures {
  return { name: `${name}, /s`, values: rates };
}
