import { GatewayError } from '../errors.ts';
import { type Breaker, type BreakerOptions, createBreaker } from './breaker.ts';
import { type CallQueueOptions, createCallQueue } from './call-queue.ts';
import type { PingupHealth } from './port.ts';
import { createRateLimitPause } from './rate-limit-pause.ts';

/**
 * Decides when a send may go to Pingup, and which ones may not at all: these are turned away at once, and nothing of
 * them leaves.
 *
 * Pingup is down, or too many wait: PINGUP_UNAVAILABLE | Pingup has asked for a pause: PINGUP_RATE_LIMITED
 *
 * Either ends the wait of those that wait for their turn, too.
 */
export interface Pacing {
  /** Makes a send when its turn comes, if that is within `waitMs` milliseconds. */
  send(makeAttempts: () => Promise<string>, waitMs: number): Promise<string>;

  /** One attempt of a send whose turn has come. */
  attempt(call: () => Promise<string>): Promise<string>;

  health(): Omit<PingupHealth, 'credentials'>;

  /** Turns away those that wait. */
  close(): void;
}

export interface PacingOptions extends CallQueueOptions {
  readonly log: BreakerOptions['log'];
}

export function createPacing({ log, ...limits }: PacingOptions): Pacing {
  const queue = createCallQueue(limits);
  const pause = createRateLimitPause();
  const breaker: Breaker = createBreaker({ onOpen: queue.turnAway, log });

  async function send(makeAttempts: () => Promise<string>, waitMs: number): Promise<string> {
    pause.check();
    breaker.check();
    return queue.run(makeAttempts, waitMs);
  }

  async function attempt(call: () => Promise<string>): Promise<string> {
    pause.check();
    try {
      return await breaker.run(call);
    } catch (error) {
      if (pause.learn(error)) queue.turnAway(error);
      throw error;
    }
  }

  return {
    send,
    attempt,
    health: () => ({ breaker: breaker.state, queued: queue.waiting, running: queue.running }),
    close: () => queue.turnAway(new GatewayError('PINGUP_UNAVAILABLE', 'The gateway is shutting down.')),
  };
}
