import { persist } from '../persist.ts';
import type { RedisRisk } from '../redis-risks.ts';
import { parseRedisUrl, redisUrlForms, withoutCredentials } from '../redis-url.ts';
import { createHealth } from './health.ts';
import type { StoreLog } from './log.ts';
import { createPatience } from './patience.ts';
import type { Store } from './port.ts';
import { type Fleet, openFleet } from './redis-fleet.ts';
import { createInspector, type Inspector } from './redis-inspector.ts';
import { messagesIn } from './redis-messages.ts';
import { createOperations } from './redis-operations.ts';
import { quarantineIn } from './redis-quarantine.ts';
import { sendsIn } from './redis-sends.ts';
import { createWatches } from './redis-watches.ts';
import type { OnPush } from './watchers.ts';

export interface RedisOptions {
  /** One of `redisUrlForms`. */
  readonly url: string;
  /** How many replicas have to have a write before it counts. */
  readonly replicas?: number | undefined;
  /** What may be lost all the same. */
  readonly acceptedRisks?: readonly RedisRisk[] | undefined;
  readonly log?: StoreLog | undefined;
  /** Told of each write: how many milliseconds it took, and that it was one. */
  readonly onBatch?: ((milliseconds: number, calls: number) => void) | undefined;
  readonly onPush?: OnPush | undefined;
  /** How long a call waits for its answer; less than 2 s. */
  readonly patienceMs?: number | undefined;
  /** How often, about, what is watched is read again although nothing seems to have happened. */
  readonly positionCheckMs?: number | undefined;
}

/**
 * The store in Redis 7.0 or Valkey 8, or later, for any number of nodes.
 *
 * @throws Error, with a message that tells the operator what to do, when it cannot be reached, or its settings lose what
 *   was acknowledged and that risk is not accepted.
 */
export async function openRedisStore(options: RedisOptions): Promise<Store> {
  const {
    url,
    replicas = 0,
    acceptedRisks = [],
    log,
    onPush,
    patienceMs,
    positionCheckMs = 45_000,
  } = options;
  const target = parseRedisUrl(url);
  if (!target) throw new Error(`The store's address is not one of ${redisUrlForms}.`);
  await using opening = new AsyncDisposableStack();
  const inspector = createInspector({ kind: target.kind, replicas, accepted: acceptedRisks, log });
  let isOpen = false;

  const fleet: Fleet = openFleet({
    target,
    replicationOf: inspector.replicationOf,
    connected: (address, client) => {
      if (isOpen) inspector.lookAgain(address, client);
    },
    heard: (message, channel) => watches.heard(message, channel),
    again: (channels) => watches.again(channels),
    moved: (partition, from, to) => watches.moved(partition, from, to),
  });
  opening.use(fleet);
  const rewrites = replicas > 0;
  const messages = messagesIn(fleet, rewrites);
  const watches = opening.use(createWatches({ fleet, find: messages.find, onPush, positionCheckMs }));
  await connectAll(fleet, inspector, withoutCredentials(url));
  isOpen = true;

  const patience = createPatience({ patienceMs });
  const health = createHealth(log);
  opening.defer(() => patience.close());
  opening.defer(() => health.close());
  const open = opening.move();
  const parts = {
    fleet,
    messages,
    sends: sendsIn(fleet, rewrites),
    quarantine: quarantineIn(fleet, rewrites),
    watches,
  };
  return {
    ...createOperations(parts, { patience, health, onBatch: options.onBatch }),
    get watching() {
      return watches.size;
    },
    get pending() {
      return patience.pending;
    },
    get risks() {
      return inspector.risksOf(fleet.primaries().map(({ server }) => server.address));
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** How long a Redis is waited for at the start. */
const connectMs = 5_000;

async function connectAll(fleet: Fleet, inspector: Inspector, where: string): Promise<void> {
  const connectEach = async () => {
    await fleet.refresh();
    const until = performance.now() + connectMs;
    return Promise.all(
      fleet
        .primaries()
        .map(async ({ server }) => ({ address: server.address, client: await server.client(until) })),
    );
  };
  const connected = await persist(connectEach, connectMs).catch((cause) => {
    throw new Error(
      `The store at ${where} cannot be reached (${reasonOf(cause)}). Check STORE_URL, and that it runs.`,
      {
        cause,
      },
    );
  });
  for (const { address, client } of connected) await inspector.inspect(address, client);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
