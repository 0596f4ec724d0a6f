import { setTimeout as delay } from 'node:timers/promises';
import { createHealth } from './health.ts';
import type { StoreLog } from './log.ts';
import { createDamage } from './sqlite-damage.ts';
import { rememberFiles } from './sqlite-files.ts';
import { ownerFileOf } from './sqlite-owner.ts';
import {
  type Call,
  fileOperations,
  heavyOperations,
  type Opened,
  type OperationName,
  type Operations,
  unhurriedOperations,
  writingOperations,
} from './sqlite-protocol.ts';
import { createQueue, type OnBatch } from './sqlite-queue.ts';
import { startThread, type Thread } from './sqlite-thread.ts';
import { unavailable } from './unavailable.ts';

/** How long to wait before what failed is tried again. */
const retryMs = 500;

/** The main thread's end of the worker: it carries calls there, and replaces a worker that died. */
export interface Link extends AsyncDisposable {
  /**
   * Has the worker do an operation. `heard` gets the answer too, even one that comes after the call was given up.
   *
   * @throws GatewayError STORE_UNAVAILABLE within 2 s, but for what is unhurried.
   */
  ask<Name extends OperationName>(
    call: readonly [Name, ...Parameters<Operations[Name]>],
    heard?: (value: ReturnType<Operations[Name]>) => void,
  ): Promise<ReturnType<Operations[Name]>>;

  /** How many calls were not answered yet. */
  readonly pending: number;

  /** What SQLite said when it found the database damaged: since then, writes are refused. Null: it has not. */
  readonly damage: string | null;
}

export interface LinkOptions extends Opened {
  readonly log?: StoreLog | undefined;
  readonly onBatch?: OnBatch | undefined;
  readonly patienceMs?: number | undefined;
  /** A new worker serves. What the old one wrote last may not have been heard of. Repeated while it rejects. */
  readonly replaced: () => Promise<void>;
}

/** @throws Refusal when the database cannot be opened. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { path, limits, log, replaced, onBatch, patienceMs } = options;
  const queue = createQueue({ onBatch, patienceMs });
  const health = createHealth(log);
  const damage = createDamage(path, log);
  const closing = new AbortController();
  let replacing: Promise<void> | undefined;
  let thread = await start();
  const checkFiles = rememberFiles([path, ownerFileOf(path)]);

  async function start(): Promise<Thread> {
    const started = await startThread(
      { path, limits },
      {
        heard: (reply) => queue.answer(JSON.parse(reply)),
        died: (cause) => {
          replacing = replace(cause);
        },
      },
    );
    queue.connect(started.post);
    return started;
  }

  async function replace(cause: unknown): Promise<void> {
    queue.disconnect(cause);
    log?.error({ err: cause }, 'The database worker died. Another takes its place.');
    await persist(async () => {
      // A worker makes a database where there is none.
      checkFiles();
      thread = await start();
    });
    await persist(replaced);
  }

  async function persist(attempt: () => Promise<void>): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        return await attempt();
      } catch (error) {
        log?.error({ err: error }, 'The database is not back yet.');
        await delay(retryMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  async function ask(call: Call, heard?: (value: unknown) => void): Promise<unknown> {
    const [name] = call;
    try {
      if (writingOperations.has(name) || fileOperations.has(name)) damage.refuseWrites();
    } catch (error) {
      throw unavailable(error);
    }
    try {
      const [heavy, unhurried] = [heavyOperations.has(name), unhurriedOperations.has(name)];
      const value = await queue.ask(JSON.stringify(call), { heard, heavy, unhurried });
      if (writingOperations.has(name)) health.wrote();
      return value;
    } catch (error) {
      damage.note(error);
      health.failed(error);
      throw error;
    }
  }

  return {
    // The worker answers a call with what its operation returns.
    ask: ask as Link['ask'],
    get pending() {
      return queue.pending;
    },
    get damage() {
      return damage.found;
    },
    [Symbol.asyncDispose]: async () => {
      health.close();
      await queue.close();
      closing.abort();
      await replacing;
      await thread[Symbol.asyncDispose]();
    },
  };
}
