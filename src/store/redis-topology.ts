import type { RedisTarget } from '../redis-url.ts';
import { type Address, connect } from './redis-client.ts';
import { partitionCount, slotsOfTags } from './redis-partitions.ts';

/** Asks a server, over a connection that is there or over one made for it. */
export type AskServer = <T>(address: Address, command: readonly string[]) => Promise<T>;

/**
 * Finds the primary of each partition.
 *
 * @param known servers that were found before, and are likely to answer.
 * @throws Error where nobody could tell.
 */
export type Discover = (known: readonly Address[], ask: AskServer) => Promise<readonly Address[]>;

export function discoveryOf(target: RedisTarget): Discover {
  if (target.kind === 'cluster') return discoverCluster(target);
  if (target.kind === 'sentinel') return discoverBySentinels(target);
  const [address = ''] = target.addresses;
  return async () => everywhere(address);
}

function everywhere(address: Address): readonly Address[] {
  return Array.from({ length: partitionCount }, () => address);
}

function discoverCluster({ addresses }: RedisTarget): Discover {
  return async (known, ask) => {
    const from = async (address: Address) => primariesOf(await ask(address, ['CLUSTER', 'SLOTS']), address);
    const attempt = (some: readonly Address[]) => firstAnswer(some.map(from));
    return known.length > 0 ? attempt(known).catch(() => attempt(addresses)) : attempt(addresses);
  };
}

/** A range of slots: its first and last, and then its nodes, the primary first. */
type SlotRange = readonly [number, number, readonly [host: string | null, port: number], ...unknown[]];

function primariesOf(ranges: readonly SlotRange[], asked: Address): readonly Address[] {
  return slotsOfTags.map((slot) => {
    const range = ranges.find(([first, last]) => slot >= first && slot <= last);
    if (!range) throw new Error(`No node of the cluster has slot ${slot}. Give every slot to one.`);
    const [host, port] = range[2];
    // A node that does not know its own address leaves it to whoever reached it.
    const name = host || asked.slice(0, asked.lastIndexOf(':'));
    return `${name.includes(':') && !name.startsWith('[') ? `[${name}]` : name}:${port}`;
  });
}

function discoverBySentinels({ addresses, masterName, access }: RedisTarget): Discover {
  const question = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName];
  const anonymous = { tls: access.tls, username: null, password: null, database: 0 };

  async function from(sentinel: Address): Promise<readonly Address[]> {
    const client = await connect(sentinel, anonymous);
    try {
      const found = await Promise.race([client.send<readonly string[] | null>(question), client.lost]);
      if (!found) throw new Error(`The sentinel at ${sentinel} knows no master named ${masterName}.`);
      return everywhere(`${found[0]}:${found[1]}`);
    } finally {
      client.destroy();
    }
  }

  return () => firstAnswer(addresses.map(from));
}

async function firstAnswer<T>(answers: readonly Promise<T>[]): Promise<T> {
  try {
    return await Promise.any(answers);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  }
}
