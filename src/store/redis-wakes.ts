import { createGate } from '../gate.ts';
import type { Client, Heard } from './redis-client.ts';
import { type Connection, keepConnection } from './redis-connection.ts';
import { createWaiters } from './redis-waiters.ts';

/**
 * The sharded subscriptions at one server: one for each channel that is wanted, and none for any other, whatever comes
 * between. What the server has is compared with what is wanted, again and again, until they are the same.
 */
export interface Wakes extends Disposable {
  /**
   * Wants a channel. Resolves once the server has confirmed it.
   *
   * @param known somebody listened to it before, elsewhere, so what was said meanwhile was missed.
   */
  add(channel: string, partition: number, known?: boolean): Promise<void>;
  /** Wants it no more. */
  remove(channel: string): void;
  /** Resolves while there is a connection. */
  ready(until: number): Promise<void>;
  readonly isConnected: boolean;
}

export interface WakesOptions {
  readonly connect: () => Promise<Client>;
  readonly connected: (client: Client) => Promise<void>;
  readonly lost: () => void;
  readonly heard: Heard;
  /** These channels are heard again, after a while in which they were not. */
  readonly again: (channels: readonly string[]) => void;
  /** The server refused a subscription: its slot may be another's. */
  readonly refused: () => void;
}

/** How a channel is: a small number for each, as there may be hundreds of thousands. */
const wanted = 1;
const on = 2;
const busy = 4;
const knownBefore = 8;
const partitionBits = 4;

/** How many channels one command names. */
const batchSize = 500;
const batchesAtOnce = 4;
const retryMs = 200;
/** How often the server is asked whether it has what it should. */
const verifyMs = 1_000;

export function openWakes(options: WakesOptions): Wakes {
  const channels = new Map<string, number>();
  const waiters = createWaiters();
  const gate = createGate(batchesAtOnce);
  let dirty = new Set<string>();
  let scheduled = false;
  let client: Client | undefined;
  let closed = false;
  /** How many channels the server was told to listen to, and how often it refused. */
  let listening = 0;
  let refusals = 0;

  const verifying = setInterval(() => void verify().catch(() => undefined), verifyMs);

  const connection: Connection = keepConnection({
    connect: options.connect,
    connected: async (connecting) => {
      await options.connected(connecting);
      client = connecting;
      listening = 0;
      touch(channels.keys());
    },
    lost: () => {
      client = undefined;
      for (const [channel, state] of channels) keep(channel, state & ~(on | busy));
      options.lost();
    },
  });

  function keep(channel: string, state: number): void {
    if (state & (wanted | on | busy)) channels.set(channel, state);
    else channels.delete(channel);
  }

  function touch(some: Iterable<string>): void {
    for (const channel of some) dirty.add(channel);
    if (scheduled || closed) return;
    scheduled = true;
    // Not at once: thousands may come back in one turn of the event loop, and one command names hundreds.
    setImmediate(reconcile);
  }

  function reconcile(): void {
    scheduled = false;
    const some = dirty;
    dirty = new Set();
    if (!client) return;
    const off: string[][] = [];
    const toBe: string[][] = [];
    for (const channel of some) {
      const state = channels.get(channel);
      if (state === undefined || state & busy) continue;
      const isWanted = (state & wanted) !== 0;
      if (isWanted === ((state & on) !== 0)) keep(channel, state);
      else put(isWanted ? toBe : off, state >> partitionBits, channel);
    }
    for (const batch of toBe.flatMap(divide)) void change(client, batch, subscribe);
    for (const batch of off.flatMap(divide)) void change(client, batch, unsubscribe);
  }

  /** A few batches are on their way at a time, so that no question is far behind. */
  function change(at: Client, batch: readonly string[], how: typeof subscribe): Promise<void> {
    mark(batch, (state) => state | busy);
    return gate(async () => {
      if (at === client) await how(at, batch);
    });
  }

  function mark(batch: readonly string[], marked: (state: number) => number): void {
    for (const channel of batch) keep(channel, marked(channels.get(channel) ?? 0));
  }

  async function subscribe(at: Client, batch: readonly string[]): Promise<void> {
    listening += batch.length;
    try {
      await at.subscribe(batch, options.heard);
    } catch {
      return failed(at, batch, -batch.length);
    }
    if (at !== client) return;
    const missed = batch.filter((channel) => (channels.get(channel) ?? 0) & knownBefore);
    mark(batch, (state) => (state & ~busy) | on | knownBefore);
    for (const channel of batch) waiters.resolve(channel);
    if (missed.length > 0) options.again(missed);
    touch(batch);
  }

  async function unsubscribe(at: Client, batch: readonly string[]): Promise<void> {
    listening -= batch.length;
    try {
      await at.unsubscribe(batch);
    } catch {
      return failed(at, batch, batch.length);
    }
    if (at !== client) return;
    mark(batch, (state) => state & ~(busy | on));
    touch(batch);
  }

  /**
   * Asks the server to how many channels it thinks that this connection listens, and replaces the connection where that
   * is not so: a server that gives a slot away says so, and node-redis takes it for the answer to another command.
   */
  async function verify(): Promise<void> {
    const at = client;
    if (!at) return;
    const [expected, before] = [listening, refusals];
    const info = await at.send<string>(['CLIENT', 'INFO']);
    // Redis tells it from 7.0.3 on.
    const [, found] = / ssub=([0-9]+)/.exec(info) ?? [];
    const isWrong = found !== undefined && Number(found) !== expected;
    if (isWrong && at === client && refusals === before) at.destroy();
  }

  function failed(at: Client, batch: readonly string[], correction: number): void {
    if (at !== client) return;
    listening += correction;
    refusals += 1;
    mark(batch, (state) => state & ~busy);
    options.refused();
    setTimeout(() => touch(batch), retryMs);
  }

  return {
    add: (channel, partition, known = false) => {
      const before = channels.get(channel) ?? partition << partitionBits;
      channels.set(channel, before | wanted | (known ? knownBefore : 0));
      if (before & on && !(before & busy)) return Promise.resolve();
      touch([channel]);
      return waiters.wait(channel);
    },
    remove: (channel) => {
      const state = channels.get(channel);
      if (state === undefined) return;
      waiters.drop(channel);
      keep(channel, state & ~(wanted | knownBefore));
      touch([channel]);
    },
    ready: async (until) => {
      await connection.client(until);
    },
    get isConnected() {
      return client !== undefined && connection.isConnected;
    },
    [Symbol.dispose]: () => {
      closed = true;
      clearInterval(verifying);
      connection[Symbol.dispose]();
      waiters.dropAll();
    },
  };
}

/** Divided by partition, since one command may not name channels of two slots. */
function put(groups: string[][], partition: number, channel: string): void {
  const group = groups[partition];
  if (group) group.push(channel);
  else groups[partition] = [channel];
}

function divide(group: readonly string[] = []): string[][] {
  const batches: string[][] = [];
  for (let first = 0; first < group.length; first += batchSize)
    batches.push(group.slice(first, first + batchSize));
  return batches;
}
