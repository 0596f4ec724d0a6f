import type { BaseLogger } from 'pino';
import { Agent, request } from 'undici';
import type { CallbackStatus } from './scenarios.ts';
import { waitUntil } from './wait-until.ts';

/** The body of a callback, in Pingup's words. */
export interface Callback {
  readonly message_id: string;
  readonly status: CallbackStatus;
  /** When it happened, as ISO 8601 in UTC. */
  readonly timestamp: string;
  /** Only with `failed`. */
  readonly reason?: string;
}

/** Delivers callbacks at least once, as providers do. */
export interface Courier {
  /**
   * Resolves once the callback was answered 2xx, or was given up: at any other answer below 500, or after
   * 8 tries that ended in 5xx or in none. Between the tries it waits `retryMs`, doubled each time, at most 30 s.
   *
   * @throws AbortError once the courier is disposed.
   */
  deliver(url: string, callback: Callback): Promise<void>;

  /** Ends every delivery and connection at once. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type CallbackLog = Pick<BaseLogger, 'debug' | 'warn'>;

export interface CourierOptions {
  readonly retryMs: number;
  readonly log: CallbackLog | undefined;
}

const maxTries = 8;
const longestRetryMs = 30_000;
/** For the receiver to answer; also bounds the connecting. */
const answerTimeoutMs = 10_000;

export function createCourier({ retryMs, log }: CourierOptions): Courier {
  const ending = new AbortController();
  const agent = new Agent({
    connect: { timeout: answerTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });

  async function deliver(url: string, callback: Callback): Promise<void> {
    const about = { messageId: callback.message_id, callback: callback.status };
    for (let tries = 1; tries <= maxTries; tries += 1) {
      const answered = await post(url, callback);
      if (answered !== null && answered < 300) return log?.debug({ ...about, tries }, 'callback delivered');
      if (answered !== null && answered < 500)
        return log?.warn({ ...about, answered }, 'callback refused, given up');
      log?.debug({ ...about, tries, answered }, 'callback not delivered');
      if (tries < maxTries) await waitUntil(Date.now() + pauseAfter(tries), ending.signal);
    }
    log?.warn({ ...about, tries: maxTries }, 'callback not delivered, given up');
  }

  /** The status of the answer, or null where none came. */
  async function post(url: string, callback: Callback): Promise<number | null> {
    const headers = { 'content-type': 'application/json', 'user-agent': 'pingup-sandbox' };
    try {
      const answer = await request(url, {
        dispatcher: agent,
        method: 'POST',
        headers,
        body: JSON.stringify(callback),
      });
      await answer.body.dump();
      return answer.statusCode;
    } catch {
      ending.signal.throwIfAborted();
      return null;
    }
  }

  function pauseAfter(tries: number): number {
    return Math.min(retryMs * 2 ** (tries - 1), longestRetryMs);
  }

  return {
    deliver,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await agent.destroy();
    },
  };
}
