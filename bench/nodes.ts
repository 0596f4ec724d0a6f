import { type CallbackTarget, runCallbacks } from './callbacks.ts';
import type { Figures, Report } from './figures.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './gateway-under-test.ts';
import { openSubscribers } from './load/subscribers.ts';
import { makeKnown } from './memory.ts';
import { type StoreKind, type StoreServer, startStoreServer } from './store-servers.ts';

const messageCount = 6_000;
const socketCount = 600;
const rounds = 3;
/** What a message's callbacks say, one after the other. */
const callbacksOfMessage = 3;

/** Nodes on one store. */
interface SetUp extends AsyncDisposable {
  readonly nodes: readonly GatewayUnderTest[];
  readonly server: StoreServer;
}

interface Outcome {
  readonly name: string;
  /** Callbacks a second, one for each round. */
  readonly rates: readonly number[];
  /** CPU for each callback, in microseconds. */
  readonly nodeCpu: readonly number[];
  readonly serverCpu: readonly number[];
}

/**
 * Callbacks a second through one and two nodes on one PostgreSQL, the subscriptions spread over them, so that most states
 * are pushed by another node than took the callback; and through one process on SQLite. With the CPU of the nodes and of
 * the server. Checked: as in the benchmark of callbacks. One after the other, and all share two cores with
 * the load, so more nodes are not more machines.
 */
export async function benchmarkNodes(): Promise<readonly Report[]> {
  const one = await measure('PostgreSQL', 1);
  const sqlite = await measure('SQLite', 1);
  const two = await measure('PostgreSQL', 2);
  const of = `${messageCount.toLocaleString('en')} subscriptions spread over the nodes`;
  const others = [sqlite, two];
  return [
    {
      title: `Durable callbacks on one store, ${of}`,
      unit: '/s',
      target: { ofFirstReference: 1 },
      gateway: figures(one, ({ rates }) => rates),
      references: others.map((outcome) => figures(outcome, ({ rates }) => rates)),
    },
    {
      title: `CPU of the nodes for each callback, ${of}`,
      unit: 'µs',
      target: { timesFirstReference: 1.3 },
      gateway: figures(one, ({ nodeCpu }) => nodeCpu),
      references: others.map((outcome) => figures(outcome, ({ nodeCpu }) => nodeCpu)),
    },
    {
      title: `CPU of the server for each callback, ${of}`,
      unit: 'µs',
      target: { timesFirstReference: 2 },
      gateway: figures(one, ({ serverCpu }) => serverCpu),
      references: [figures(two, ({ serverCpu }) => serverCpu)],
    },
  ];
}

function figures(outcome: Outcome, pick: (outcome: Outcome) => readonly number[]): Figures {
  return { name: outcome.name, values: pick(outcome) };
}

async function start(kind: StoreKind, count: number): Promise<SetUp> {
  await using parts = new AsyncDisposableStack();
  const server = parts.use(await startStoreServer(kind));
  const nodes: GatewayUnderTest[] = [];
  while (nodes.length < count)
    nodes.push(parts.use(await startGatewayUnderTest({ env: { STORE_URL: server.url } })));
  const all = parts.move();
  return { nodes, server, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function measure(kind: StoreKind, count: number): Promise<Outcome> {
  await using setUp = await start(kind, count);
  const { nodes, server } = setUp;
  using sockets = new DisposableStack();
  const targets: CallbackTarget[] = [];
  for (const { port, callbackPath: path } of nodes) {
    const subscribers = sockets.use(await openSubscribers(port, socketCount / nodes.length));
    targets.push({ port, path, subscribers });
  }
  const rates: number[] = [];
  const nodeCpu: number[] = [];
  const serverCpu: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const ids = Array.from({ length: messageCount }, (_, index) => `${round}-${index}`);
    for (const node of nodes.slice(0, 1)) await makeKnown(node, ids);
    const before = cpuOf(setUp);
    const rate = await runCallbacks(targets, ids);
    const after = cpuOf(setUp);
    if (round === 0) continue;
    rates.push(rate);
    nodeCpu.push(microseconds(after.nodes - before.nodes));
    serverCpu.push(microseconds(after.server - before.server));
  }
  return { name: `${count} on ${server.kind}`, rates, nodeCpu, serverCpu };
}

/** In milliseconds. The watching before the callbacks is part of it. */
function cpuOf({ nodes, server }: SetUp) {
  return { nodes: nodes.reduce((total, node) => total + node.cpuMs(), 0), server: server.cpuMs() };
}

function microseconds(milliseconds: number): number {
  return (milliseconds * 1_000) / (messageCount * callbacksOfMessage);
}
