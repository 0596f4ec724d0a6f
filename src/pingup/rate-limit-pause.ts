import { GatewayError } from '../errors.ts';

/** The time that Pingup asked to be left alone for, by a 429 with Retry-After: at most 30 s of it. */
export interface RateLimitPause {
  /** @throws GatewayError PINGUP_RATE_LIMITED during the pause, with what is left of it. */
  check(): void;

  /** Whether this outcome of a call begins a pause, or makes it longer. */
  learn(outcome: unknown): outcome is GatewayError;
}

/** A slip of Pingup's must not stop the business for a day; after it, the next 429 begins another pause. */
const maxPauseMs = 30_000;

export function createRateLimitPause(): RateLimitPause {
  let endsAt = 0;

  return {
    check() {
      if (endsAt === 0) return;
      const remainingMs = endsAt - performance.now();
      if (remainingMs > 0) throw rateLimited(Math.ceil(remainingMs / 1000));
      endsAt = 0;
    },
    learn(outcome): outcome is GatewayError {
      if (!(outcome instanceof GatewayError) || outcome.code !== 'PINGUP_RATE_LIMITED') return false;
      const pauseMs = Math.min((outcome.retryAfterSeconds ?? 0) * 1000, maxPauseMs);
      const before = endsAt;
      endsAt = Math.max(endsAt, performance.now() + pauseMs);
      return pauseMs > 0 && endsAt > before;
    },
  };
}

/** @param retryAfterSeconds undefined: Pingup did not say. */
export function rateLimited(retryAfterSeconds: number | undefined): GatewayError {
  const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return new GatewayError('PINGUP_RATE_LIMITED', 'Pingup takes no more messages at present.', details);
}
