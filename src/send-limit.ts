import { GatewayError } from './errors.ts';
import { createRateLimiter } from './rate-limiter.ts';

/** How many texts each caller may have sent. A text counts when it goes to Pingup, whatever becomes of it. */
export interface SendLimit {
  /** Why a caller may send nothing now; undefined: they may. */
  check(caller: string): GatewayError | undefined;
  /** Counts a text. @throws GatewayError TOO_MANY_REQUESTS, and then nothing was counted. */
  take(caller: string): void;
}

/** Callers that have a count of their own, of about 0.3 KiB each. */
const maxCallers = 100_000;

/** @param perMinute for each caller; null: unlimited. */
export function createSendLimit(perMinute: number | null, now?: () => number): SendLimit {
  if (perMinute === null) return { check: () => undefined, take: () => undefined };
  const limiter = createRateLimiter({ perMinute, maxKeys: maxCallers, ...(now && { now }) });

  function errorAfter(retryAfterSeconds: number): GatewayError | undefined {
    if (retryAfterSeconds === 0) return undefined;
    const message = `One caller may send ${perMinute} texts a minute. Nothing was sent.`;
    return new GatewayError('TOO_MANY_REQUESTS', message, { retryAfterSeconds });
  }

  return {
    check: (caller) => errorAfter(limiter.wait(caller)),
    take(caller) {
      const error = errorAfter(limiter.take(caller));
      if (error) throw error;
    },
  };
}
