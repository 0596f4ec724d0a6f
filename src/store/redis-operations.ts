import { ErrorReply } from '@redis/client';
import { GatewayError } from '../errors.ts';
import type { ForgottenClient } from '../forgotten-client.ts';
import { createGate } from '../gate.ts';
import { type Message, updatedAtOf } from '../message.ts';
import { persist } from '../persist.ts';
import type { Attempt, Begun, NewSend } from '../send.ts';
import type { Health } from './health.ts';
import type { Patience } from './patience.ts';
import type { Forgotten, QuarantinedCallback, Store } from './port.ts';
import { NotConnected } from './redis-connection.ts';
import { type Fleet, partitions } from './redis-fleet.ts';
import { prefixOf } from './redis-keys.ts';
import type { Messages } from './redis-messages.ts';
import type { Quarantine } from './redis-quarantine.ts';
import type { Sends } from './redis-sends.ts';
import type { Step } from './redis-walk.ts';
import type { Watches } from './redis-watches.ts';

export interface Parts {
  readonly fleet: Fleet;
  readonly messages: Messages;
  readonly sends: Sends;
  readonly quarantine: Quarantine;
  readonly watches: Watches;
}

export interface Manners {
  readonly patience: Patience;
  readonly health: Health;
  readonly onBatch: ((milliseconds: number, calls: number) => void) | undefined;
}

/** What a store does; the rest of it says how it is. */
export type Operations = Omit<Store, 'watching' | 'pending' | 'risks' | typeof Symbol.asyncDispose>;

/** How many lists are read at a time: each may be a hundred large records. */
const listsAtOnce = 8;
/** How long giving the key of a send back is tried. */
const giveBackMs = 60_000;

type Work<T> = (until: number) => Promise<T>;

export function createOperations(parts: Parts, { patience, health, onBatch }: Manners): Operations {
  const { fleet, messages, sends, quarantine, watches } = parts;
  const gate = createGate(listsAtOnce);

  async function read<T>(work: Work<T>): Promise<T> {
    try {
      return await patience.call(work);
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE') health.failed(error);
      throw error;
    }
  }

  async function write<T>(work: Work<T>): Promise<T> {
    const began = performance.now();
    const result = await read(work);
    health.wrote();
    onBatch?.(performance.now() - began, 1);
    return result;
  }

  const list = <T>(work: Work<T>) => read((until) => gate(() => work(until)));

  /** Tells also when nobody waits for the answer any more. */
  async function merge(news: readonly Message[], until: number): Promise<void> {
    for (const kept of await messages.merge(news, watches.has, until)) watches.tell(kept);
  }

  async function begin(send: NewSend): Promise<Begun> {
    const attempt = sends.newAttempt(send);
    try {
      return await write(async (until) => {
        const told = await sends.begin(attempt, send, until);
        if (told.kind === 'accepted') return retell(send.business, told.messageId, until);
        if (told.kind === 'begun') return { kind: told.kind, attempt };
        if (told.kind === 'withdrawn') throw new Error('The send was given up.');
        return told;
      });
    } catch (error) {
      if (mayHaveHappened(error)) giveBack(attempt);
      throw error;
    }
  }

  async function retell(business: string, id: string, until: number): Promise<Begun> {
    const kept = await messages.find({ business, id }, until);
    return kept ? { kind: 'accepted', message: kept.message } : { kind: 'failed', code: 'NOT_FOUND' };
  }

  /** A begin that was given up lets nothing leave. It may still be on its way, so it is forbidden as well as undone. */
  function giveBack(attempt: Attempt): void {
    const withdraw = () => patience.call((until) => sends.withdraw(attempt, Date.now(), until));
    persist(withdraw, giveBackMs).catch(() => undefined);
  }

  async function accept(attempt: Attempt, message: Message, until: number): Promise<Message> {
    const [kept] = await messages.merge([message], () => true, until);
    if (!kept) throw new Error('Redis did not say what it knows of a message.');
    watches.tell(kept);
    await sends.accept(attempt, message.id, updatedAtOf(message), until);
    return kept.message;
  }

  async function record(
    news: readonly Message[],
    quarantined: readonly QuarantinedCallback[],
    until: number,
  ) {
    await Promise.all([
      merge(news, until),
      ...quarantined.map((callback) => quarantine.keep(callback, until)),
    ]);
  }

  async function walk<T>(
    step: Step<T>,
    heard: (found: readonly T[]) => void = () => undefined,
  ): Promise<number> {
    let total = 0;
    for (const partition of partitions) {
      for (let from: string | undefined = ''; from !== undefined; ) {
        const at: string = from;
        const { found, next } = await write((until) => step(partition, at, until));
        heard(found);
        total += found.length;
        from = next;
      }
    }
    return total;
  }

  async function prune(before: number): Promise<number> {
    const pruned = await walk(messages.pruneStep(before), (keys) => keys.forEach(watches.forget));
    await walk(sends.pruneStep(before));
    await walk(quarantine.pruneStep(before));
    return pruned;
  }

  async function forget(client: ForgottenClient): Promise<Forgotten> {
    const forgotten = { messages: 0, sends: 0 };
    for (const step of messages.forgetSteps(client))
      forgotten.messages += await walk(step, (keys) => keys.forEach(watches.forget));
    for (const step of sends.forgetSteps(client)) forgotten.sends += await walk(step);
    return forgotten;
  }

  /** Writes and reads at each primary, and hears its wake-ups. */
  async function check(until: number): Promise<void> {
    const checks = fleet.primaries().map(async ({ server, partition }) => {
      const key = `${prefixOf(partition)}c`;
      await fleet.write(partition, { command: ['SET', key, '1'] }, until);
      await fleet.read(partition, { command: ['GET', key] }, until);
      await server.wakes.ready(until);
    });
    await Promise.all(checks);
  }

  return {
    begin,
    findRepeat: () =>
      Promise.reject(new Error('The Redis store cannot look for repeats: SENDS_PER_MINUTE takes SQLite.')),
    prune,
    forget,
    accept: (attempt, message) => write((until) => accept(attempt, message, until)),
    fail: (_business, attempt, code, at) => write((until) => sends.fail(attempt, code, at, until)),
    settleLost: (before, at) => walk(sends.loseStep(before, at)),
    sends: (query) => list((until) => sends.list(query, until)),
    record: (news, quarantined = []) => write((until) => record(news, quarantined, until)),
    find: async (key) => (await read((until) => messages.find(key, until)))?.message,
    list: (query) => list((until) => messages.list(query, until)),
    watch: (key) => read((until) => watches.open(key, until)),
    quarantined: (query) => list((until) => quarantine.list(query, until)),
    findQuarantined: (business, id) => read((until) => quarantine.find(business, id, until)),
    release: (business, id, news) =>
      write(async (until) => {
        await merge(news, until);
        await quarantine.drop(business, id, until);
      }),
    deleteQuarantined: () =>
      Promise.reject(new Error('The store in Redis deletes no quarantined callbacks.')),
    now: Date.now,
    check: () => write(check),
  };
}

/** A refusal, and what was never sent, have changed nothing. */
function mayHaveHappened(error: unknown): boolean {
  const cause = error instanceof GatewayError ? error.cause : error;
  return !(cause instanceof ErrorReply || cause instanceof NotConnected);
}
