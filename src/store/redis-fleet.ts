import { setTimeout as delay } from 'node:timers/promises';
import type { RedisTarget } from '../redis-url.ts';
import { type Address, type Client, connect, type Heard } from './redis-client.ts';
import type { Order } from './redis-evaluate.ts';
import { partitionCount } from './redis-partitions.ts';
import type { Replication } from './redis-replication.ts';
import { redirectionOf, remedyOf } from './redis-reply-error.ts';
import { openServer, type Server } from './redis-server.ts';
import { type AskServer, discoveryOf } from './redis-topology.ts';
import type { Wakes } from './redis-wakes.ts';

/** All primaries there are: one, or those of a cluster, as they come and go. */
export interface Fleet extends Disposable {
  /** @param until by `performance.now()`. */
  write<T>(partition: number, order: Order, until: number): Promise<T>;
  read<T>(partition: number, order: Order, until: number): Promise<T>;
  wakesOf(partition: number): Wakes;
  /** Every primary, each with one of its partitions. */
  primaries(): readonly { readonly server: Server; readonly partition: number }[];
  /** Finds out where the partitions are, and connects there. */
  refresh(): Promise<void>;
  /** The same, in a while, where it may have changed. */
  refreshSoon(): void;
}

export interface FleetOptions {
  readonly target: RedisTarget;
  readonly replicationOf: (address: Address) => Replication | null;
  readonly connected: (address: Address, client: Client) => void;
  readonly heard: Heard;
  readonly again: (channels: readonly string[]) => void;
  /** A partition is at another primary than before. */
  readonly moved: (partition: number, from: Wakes, to: Wakes) => void;
}

const pauseMs = { least: 20, most: 80 };
/** How long one server may take to say where the partitions are. */
const askMs = 1_500;

/** Knows no primary until its first `refresh`. */
export function openFleet(options: FleetOptions): Fleet {
  const { target } = options;
  const discover = discoveryOf(target);
  const servers = new Map<Address, Server>();
  const owners: Server[] = [];
  let refreshing: Promise<void> | undefined;
  let disposed = false;

  function serverAt(address: Address): Server {
    const known = servers.get(address);
    if (known) return known;
    const server = openServer(address, target.access, options.replicationOf, {
      ...options,
      lost: refreshSoon,
      refused: refreshSoon,
    });
    servers.set(address, server);
    return server;
  }

  function assign(partition: number, server: Server): void {
    const before = owners[partition];
    owners[partition] = server;
    if (before && before !== server) options.moved(partition, before.wakes, server.wakes);
  }

  const ask: AskServer = async <T>(address: Address, command: readonly string[]) => {
    const server = servers.get(address);
    if (server?.isConnected) return server.read<T>({ command }, performance.now() + askMs, false);
    const client = await connect(address, target.access);
    try {
      return await Promise.race([client.send<T>(command), client.lost]);
    } finally {
      client.destroy();
    }
  };

  async function findOut(): Promise<void> {
    const connected = [...servers.values()]
      .filter((server) => server.isConnected)
      .map(({ address }) => address);
    const addresses = await discover(connected, ask);
    if (disposed) return;
    for (const [partition, address] of addresses.entries()) assign(partition, serverAt(address));
    const inUse = new Set(owners);
    for (const server of servers.values()) {
      if (inUse.has(server)) continue;
      servers.delete(server.address);
      server[Symbol.dispose]();
    }
  }

  function refresh(): Promise<void> {
    refreshing ??= findOut().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  function refreshSoon(): void {
    if (!disposed && target.kind !== 'single') refresh().catch(() => undefined);
  }

  function ownerOf(partition: number): Server {
    const server = owners[partition];
    if (!server || disposed) throw new Error('The store is not open.');
    return server;
  }

  async function run<T>(how: 'write' | 'read', partition: number, order: Order, until: number): Promise<T> {
    let asked: Server | undefined;
    for (;;) {
      const server: Server = asked ?? ownerOf(partition);
      try {
        return await server[how]<T>(order, until, asked !== undefined);
      } catch (error) {
        asked = await remedy(error, server, partition, until, how);
      }
    }
  }

  /**
   * Does what may help, and returns the server to read from a key that has moved on already. No write follows it there:
   * it would begin a list anew of which the other half is still to come. It waits until the whole slot has moved.
   */
  async function remedy(
    error: unknown,
    server: Server,
    partition: number,
    until: number,
    how: 'write' | 'read',
  ): Promise<Server | undefined> {
    const found = remedyOf(error);
    const pause = pauseMs.least + Math.random() * (pauseMs.most - pauseMs.least);
    if (!(error instanceof Error) || !found || performance.now() + pause > until || disposed) throw error;
    if (found === 'ask' && how === 'read') return serverAt(redirectionOf(error, server.address));
    if (found === 'elsewhere') assign(partition, serverAt(redirectionOf(error, server.address)));
    refreshSoon();
    await delay(pause);
    return undefined;
  }

  return {
    write: (partition, order, until) => run('write', partition, order, until),
    read: (partition, order, until) => run('read', partition, order, until),
    wakesOf: (partition) => ownerOf(partition).wakes,
    primaries: () => [...new Set(owners)].map((server) => ({ server, partition: owners.indexOf(server) })),
    refresh,
    refreshSoon,
    [Symbol.dispose]: () => {
      disposed = true;
      for (const server of servers.values()) server[Symbol.dispose]();
    },
  };
}

/** Every partition there is. */
export const partitions: readonly number[] = Array.from(
  { length: partitionCount },
  (_, partition) => partition,
);
