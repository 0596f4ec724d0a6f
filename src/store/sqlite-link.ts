import { setTimeout as delay } from 'node:timers/promises';
import { createHealth } from './health.ts';
import type { StoreLog } from './log.ts';
import { rememberFiles } from './sqlite-files.ts';
import { ownerFileOf } from './sqlite-owner.ts';
import {
  heavyOperations,
  type Opened,
  type OperationName,
  type Operations,
  writingOperations,
} from './sqlite-protocol.ts';
import { createQueue, type OnBatch } from './sqlite-queue.ts';
import { startThread, type Thread } from './sqlite-thread.ts';

/** How long to wait before what failed is tried again. */
const retryMs = 500;

/** The main thread's end of the worker: it carries calls there, and replaces a worker that died. */
export interface Link extends AsyncDisposable {
  /**
   * Has the worker do an operation. `heard` gets the answer too, even one that comes after the call was given up.
   *
   * @throws GatewayError STORE_UNAVAILABLE within 2 s.
   */
  ask<Name extends OperationName>(
    call: readonly [Name, ...Parameters<Operations[Name]>],
    heard?: (value: ReturnType<Operations[Name]>) => void,
  ): Promise<ReturnType<Operations[Name]>>;

  /** How many calls were not answered yet. */
  readonly pending: number;
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

  return {
    ask: async (call, heard) => {
      try {
        // The worker answers a call with what its operation returns.
        type Value = ReturnType<Operations[(typeof call)[0]]>;
        const value = await queue.ask(JSON.stringify(call), {
          heard: heard as ((value: unknown) => void) | undefined,
          heavy: heavyOperations.has(call[0]),
        });
        if (writingOperations.has(call[0])) health.wrote();
        return value as Value;
      } catch (error) {
        health.failed(error);
        throw error;
      }
    },
    get pending() {
      return queue.pending;
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
