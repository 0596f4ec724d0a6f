import type { RedisAccess } from '../redis-url.ts';
import { type Address, type Client, connect, type Heard } from './redis-client.ts';
import { keepConnection } from './redis-connection.ts';
import { carryOut, type Order } from './redis-evaluate.ts';
import { confirm, type Replication } from './redis-replication.ts';
import { openWakes, type Wakes } from './redis-wakes.ts';

/**
 * One primary: a connection for writes, one for reads, which may be large, and one for wake-ups. So no read holds up a
 * write, and no write waits until a replica has another.
 */
export interface Server extends Disposable {
  readonly address: Address;
  /** Resolves once it is durable, as far as the server's own settings go. */
  write<T>(order: Order, until: number, asking: boolean): Promise<T>;
  read<T>(order: Order, until: number, asking: boolean): Promise<T>;
  readonly wakes: Wakes;
  /** The connection for writes. */
  client(until: number): Promise<Client>;
  /** Whether all three connections are there. */
  readonly isConnected: boolean;
}

export interface ServerEvents {
  /** A write connection is there. */
  readonly connected: (address: Address, client: Client) => void;
  /** A connection was lost, or could not be made. */
  readonly lost: () => void;
  readonly heard: Heard;
  readonly again: (channels: readonly string[]) => void;
  /** A subscription was refused. */
  readonly refused: () => void;
}

/** @param replicationOf null where no replica is waited for. */
export function openServer(
  address: Address,
  access: RedisAccess,
  replicationOf: (address: Address) => Replication | null,
  events: ServerEvents,
): Server {
  const common = { connect: () => connect(address, access), lost: events.lost };
  const writes = keepConnection({
    ...common,
    connected: async (client) => {
      await requirePrimary(client);
      events.connected(address, client);
    },
  });
  const reads = keepConnection({ ...common, connected: requirePrimary });
  const { heard, again, refused } = events;
  const wakes = openWakes({ ...common, connected: requirePrimary, heard, again, refused });

  async function write<T>(order: Order, until: number, asking: boolean): Promise<T> {
    const client = await writes.client(until);
    const reply = await carryOut<T>(client, order, asking);
    const replication = replicationOf(address);
    if (replication) await confirm(client, replication);
    return reply;
  }

  return {
    address,
    wakes,
    write,
    client: async (until) => writes.client(until),
    read: async (order, until, asking) => carryOut(await reads.client(until), order, asking),
    get isConnected() {
      return writes.isConnected && reads.isConnected && wakes.isConnected;
    },
    [Symbol.dispose]: () => {
      for (const part of [writes, reads, wakes]) part[Symbol.dispose]();
    },
  };
}

/** A server that was demoted still answers reads, with what it had then. */
async function requirePrimary(client: Client): Promise<void> {
  const [role] = await client.send<readonly string[]>(['ROLE']).catch(() => ['unknown']);
  if (role === 'slave')
    throw new Error('The server is a replica. Name its primary, or its sentinels, in STORE_URL.');
}
