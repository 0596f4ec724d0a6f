import { type Child, startChild } from './child.ts';
import type { Figures, Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { loadWithPosts } from './load/http-load.ts';
import { openSubscribers, type Subscribers } from './load/subscribers.ts';
import { withinLimit } from './within-limit.ts';

const connections = 10_000;
const firstConnections = 2_000;
const rounds = 3;
const idsInCallback = 1_000;

/** What one connection takes, in KiB. */
interface Growth {
  /** Each of the later ones, resident. */
  readonly later: number;
  /** Each of all, resident, by what the process took when it was fresh. */
  readonly all: number;
  /** Each of the later ones, on the JavaScript heap of the main thread. */
  readonly heap: number;
}

/**
 * The server's memory for each idle connection with one subscription, after a collection of garbage. The first
 * connections also make the process grow to its working size, as any load would, so the later ones count by themselves.
 * Each round has servers of its own.
 */
export async function benchmarkMemory(): Promise<Report> {
  const gateway: Growth[] = [];
  const bare: Growth[] = [];
  for (let round = 0; round < rounds; round += 1) {
    gateway.push(await measureGateway());
    bare.push(await measureBare());
  }
  const [ours, ...besides] = figuresOf('the gateway', gateway);
  const [reference, ...more] = figuresOf('bare ws', bare);
  return {
    title: `Memory for each idle connection with a subscription, at ${connections.toLocaleString('en')}`,
    unit: 'KiB',
    target: { atMost: 16 },
    gateway: ours,
    references: [reference],
    besides: [...besides, ...more],
  };
}

function figuresOf(name: string, growths: readonly Growth[]): [Figures, Figures, Figures] {
  return [
    { name: `${name}, resident`, values: growths.map(({ later }) => later) },
    { name: `${name}, with its warming up`, values: growths.map(({ all }) => all) },
    { name: `${name}, JavaScript heap`, values: growths.map(({ heap }) => heap) },
  ];
}

async function measureGateway(): Promise<Growth> {
  await using gateway = await startGatewayUnderTest();
  const ids = inventedIds();
  await makeKnown(gateway, ids);
  return await measureGrowth(gateway, ids, 1);
}

/** Messages known from a few large callbacks: sends would leave the process room that it then fills unseen. */
export async function makeKnown(
  { port, callbackPath }: GatewayUnderTest,
  ids: readonly string[],
): Promise<void> {
  const bodies = Array.from({ length: ids.length / idsInCallback }, (_, index) => {
    const some = ids.slice(index * idsInCallback, (index + 1) * idsInCallback);
    return JSON.stringify(some.map((message_id) => ({ message_id, status: 'accepted' })));
  });
  const nextBody = () => bodies.pop();
  await loadWithPosts({ port, path: callbackPath, inFlight: 1, nextBody, onAnswer: () => undefined });
}

async function measureBare(): Promise<Growth> {
  await using bare = await startChild({ script: 'bench/servers/bare-subscriptions.ts' });
  return await measureGrowth(
    bare,
    Array.from({ length: connections }, (_, index) => `message-${index}`),
    0,
  );
}

function inventedIds(): string[] {
  return Array.from({ length: connections }, (_, index) => `message-${index}`);
}

/** `pings`: how often the server is to have pinged each connection before it counts as idle. */
export async function measureGrowth(
  server: Child,
  messageIds: readonly string[],
  pings: number,
): Promise<Growth> {
  const fresh = await measure(server);
  using first = await watchAll(server, messageIds.slice(0, firstConnections));
  const warm = await measure(server);
  using later = await watchAll(server, messageIds.slice(firstConnections));
  const pinged = Promise.all([
    first.pinged(pings * firstConnections),
    later.pinged(pings * (connections - firstConnections)),
  ]);
  await withinLimit('every connection was pinged', pinged);
  const full = await measure(server);
  return {
    later: kibibytesEach(full.resident - warm.resident, connections - firstConnections),
    all: kibibytesEach(full.resident - fresh.resident, connections),
    heap: kibibytesEach(full.heap - warm.heap, connections - firstConnections),
  };
}

async function watchAll({ port }: Child, messageIds: readonly string[]): Promise<Subscribers> {
  const subscribers = await openSubscribers(port, messageIds.length);
  await withinLimit('every subscription shows its first state', subscribers.watch(messageIds));
  return subscribers;
}

/** In bytes. */
async function measure(server: Child) {
  // The first collection lets finalizers run, whose leavings the second collects.
  await server.collectGarbage();
  const heap = await server.collectGarbage();
  return { heap, resident: await server.residentBytes() };
}

function kibibytesEach(bytes: number, count: number): number {
  return bytes / 1024 / count;
}
