import type { Client } from './redis-client.ts';

export interface Replication {
  /** How many replicas have to have a write before it counts. */
  readonly replicas: number;
  /** Whether they have to have it on their disks: Redis 7.2 and later can tell. */
  readonly onDisk: boolean;
}

/** Shorter than any call's patience, since all that is sent behind it waits as long. */
const replicaMs = 500;

const confirmations = new WeakMap<Client, Promise<void>>();

/**
 * Resolves once enough replicas have all that this client wrote. Calls of one turn share one question.
 *
 * @throws Error where they have not in time. The write has happened, and its repeat is harmless.
 */
export function confirm(client: Client, replication: Replication): Promise<void> {
  const shared = confirmations.get(client);
  if (shared) return shared;
  const confirmation = Promise.resolve().then(() => {
    confirmations.delete(client);
    return ask(client, replication);
  });
  confirmations.set(client, confirmation);
  return confirmation;
}

async function ask(client: Client, replication: Replication): Promise<void> {
  const { replicas } = replication;
  const have = await count(client, replication).catch((cause) => {
    // Not the refusal itself, which would say that nothing was written.
    throw new Error('Nobody could tell how many replicas have a write.', { cause });
  });
  if (have >= replicas) return;
  throw new Error(
    `Only ${have} of ${replicas} replicas had a write within ${replicaMs} ms. Bring them back, or set REDIS_REPLICAS to less.`,
  );
}

async function count(client: Client, { replicas, onDisk }: Replication): Promise<number> {
  if (!onDisk) return client.send<number>(['WAIT', String(replicas), String(replicaMs)]);
  const [, have] = await client.send<[number, number]>(['WAITAOF', '1', String(replicas), String(replicaMs)]);
  return have;
}
