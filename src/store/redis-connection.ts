import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './redis-client.ts';

/** A connection that is kept: whenever its client is lost, another takes its place. */
export interface Connection extends Disposable {
  /**
   * The client there is. While one is lost, that of the next few moments.
   *
   * @param until by `performance.now()`.
   * @throws NotConnected where there is none.
   */
  client(until: number): Client | Promise<Client>;
  readonly isConnected: boolean;
}

export interface ConnectionOptions {
  readonly connect: () => Promise<Client>;
  /** A client is connected, and not in use yet. What rejects loses it. */
  readonly connected?: ((client: Client) => Promise<void>) | undefined;
  readonly lost?: (() => void) | undefined;
}

/** There was no connection, so nothing was sent. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}

/** How long calls wait for a client that was lost before they are refused at once. */
const graceMs = 1_000;
const retryMs = { least: 50, most: 250 };

export function keepConnection({ connect, connected, lost }: ConnectionOptions): Connection {
  const closing = new AbortController();
  let current: Client | undefined;
  let next = Promise.withResolvers<Client>();
  let lastReason: unknown = new Error('The connection is not made yet.');
  let downSince = performance.now();
  next.promise.catch(() => undefined);

  async function serve(): Promise<void> {
    const client = await connect();
    try {
      if (closing.signal.aborted) return;
      await connected?.(client);
      current = client;
      next.resolve(client);
      await client.lost;
    } finally {
      client.destroy();
      if (current) {
        downSince = performance.now();
        next = Promise.withResolvers();
        next.promise.catch(() => undefined);
      }
      current = undefined;
    }
  }

  async function keep(): Promise<void> {
    while (!closing.signal.aborted) {
      await serve().catch((error) => {
        lastReason = error;
      });
      if (closing.signal.aborted) break;
      lost?.();
      const pause = retryMs.least + Math.random() * (retryMs.most - retryMs.least);
      await delay(pause, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    next.reject(new NotConnected('The store is closed.'));
  }

  function notConnected(): NotConnected {
    return new NotConnected('There is no connection.', { cause: lastReason });
  }

  async function wait(until: number): Promise<Client> {
    const last = Math.min(until, downSince + graceMs);
    const left = last - performance.now();
    if (left <= 0) throw notConnected();
    const giveUp = new AbortController();
    const late = delay(left, undefined, { signal: giveUp.signal }).then(() => Promise.reject(notConnected()));
    late.catch(() => undefined);
    return Promise.race([next.promise, late]).finally(() => giveUp.abort());
  }

  void keep();
  return {
    client: (until) => current ?? wait(until),
    get isConnected() {
      return current !== undefined;
    },
    [Symbol.dispose]: () => {
      closing.abort();
      current?.destroy();
    },
  };
}
