import { freePort } from './free-port.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

/** A Redis Cluster of a test's own: three primaries, each with a replica. It ends with its scope. */
export interface RedisCluster extends AsyncDisposable {
  /** `redis+cluster://127.0.0.1:<port>,…` */
  readonly url: string;
  /** The primaries of the start, and then the replicas of each, in the same order. */
  readonly nodes: readonly ClusterNode[];
  /** Those that are primaries now. */
  primaries(): Promise<readonly ClusterNode[]>;
  /** Deletes all data. */
  flush(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

export interface ClusterNode extends RedisServer {
  readonly id: string;
}

export interface ClusterOptions {
  /** How long a node may be silent before it counts as failed. */
  readonly nodeTimeoutMs?: number;
  readonly settings?: readonly string[];
}

const slots = 16_384;
const shards = 3;

export async function startRedisCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  await using starting = new AsyncDisposableStack();
  // All of them, whatever becomes of one: what was started is ended.
  const attempts = await Promise.allSettled(
    Array.from({ length: shards * 2 }, async () => starting.use(await startNode(options))),
  );
  const nodes = attempts.map((attempt) => {
    if (attempt.status === 'rejected') throw attempt.reason;
    return attempt.value;
  });
  await join(nodes);
  const timeout = String(options.nodeTimeoutMs ?? 5_000);
  await Promise.all(nodes.map((node) => node.command('CONFIG', 'SET', 'cluster-node-timeout', timeout)));
  const started = starting.move();

  async function primaries(): Promise<readonly ClusterNode[]> {
    const roles = await Promise.all(nodes.map((node) => node.command('ROLE').catch(() => ['gone'])));
    return nodes.filter((_, index) => (roles[index] as readonly string[])[0] === 'master');
  }

  return {
    nodes,
    primaries,
    url: `redis+cluster://${nodes.map((node) => `127.0.0.1:${node.port}`).join(',')}`,
    flush: async () => {
      await Promise.all((await primaries()).map((node) => node.command('FLUSHALL')));
    },
    freeze: () => {
      for (const node of nodes) node.freeze();
    },
    thaw: () => {
      for (const node of nodes) node.thaw();
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Nodes gossip the more often the shorter their time-out is, so it is short until they know each other. */
const joiningTimeoutMs = 600;

async function startNode({ settings = [] }: ClusterOptions) {
  const busPort = await freePort();
  const server = await startRedisServer([
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', String(joiningTimeoutMs), '--cluster-require-full-coverage', 'no'],
    ...['--cluster-replica-validity-factor', '0'],
    ...settings,
  ]);
  return Object.assign(server, { busPort, id: String(await server.command('CLUSTER', 'MYID')) });
}

type StartedNode = Awaited<ReturnType<typeof startNode>>;

async function join(nodes: readonly StartedNode[]): Promise<void> {
  const [first] = nodes;
  for (const [index, node] of nodes.entries()) {
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    if (index < shards) await node.command('CLUSTER', 'ADDSLOTSRANGE', ...rangeOf(index));
    if (node !== first)
      await first?.command('CLUSTER', 'MEET', '127.0.0.1', String(node.port), String(node.busPort));
  }
  await until(nodes, async (node) => has(await node.command('CLUSTER', 'INFO'), 'cluster_known_nodes:6'));
  for (const [index, replica] of nodes.slice(shards).entries()) {
    const primary = nodes[index]?.id ?? '';
    // A node that has not heard of the primary yet refuses.
    await until([replica], async () => (await replica.command('CLUSTER', 'REPLICATE', primary)) === 'OK');
  }
  await until(nodes, async (node) => has(await node.command('CLUSTER', 'INFO'), 'cluster_state:ok'));
  await until(nodes, async (node) => everyShardHasReplica(await node.command('CLUSTER', 'SLOTS')));
  await until(nodes.slice(shards), async (node) => has(await node.command('INFO'), 'master_link_status:up'));
}

function rangeOf(index: number): [string, string] {
  const from = Math.floor((slots * index) / shards);
  const next = Math.floor((slots * (index + 1)) / shards);
  return [String(from), String(next - 1)];
}

function everyShardHasReplica(ranges: unknown): boolean {
  return Array.isArray(ranges) && ranges.length === shards && ranges.every((range) => range.length === 4);
}

function has(text: unknown, part: string): boolean {
  return String(text).includes(part);
}

async function until(
  nodes: readonly StartedNode[],
  isSo: (node: StartedNode) => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (const node of nodes) {
    while (!(await isSo(node).catch(() => false))) {
      if (performance.now() > deadline) throw new Error('The cluster did not come together.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
