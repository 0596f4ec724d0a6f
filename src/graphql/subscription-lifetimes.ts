import { createYieldingQueue } from '../yielding-queue.ts';

/** A subscription, as far as it can be ended. */
export interface Endable {
  return(): Promise<unknown>;
}

/** Ends subscriptions that have run for too long, so that no forgotten one is kept for ever. */
export interface SubscriptionLifetimes extends Disposable {
  /** `key` stands for the subscription until it ends. */
  begin(key: object, subscription: Endable): void;
  end(key: object): void;
  /** Ends a subscription that is still there. */
  stop(key: object): void;
}

/** How late the end may come, in ms. */
const maxDelayMs = 60_000;
/** Subscriptions that are ended in one turn of the event loop. */
const endsPerTurn = 100;

/**
 * One timer for all, and two words for each: an idle subscription has to stay small. What began first ends first, so a
 * sweep looks at nothing that is still young.
 */
export function createSubscriptionLifetimes(lifetimeMs: number): SubscriptionLifetimes {
  const queue = createYieldingQueue(endsPerTurn);
  const running = new Map<object, { subscription: Endable; since: number }>();

  function sweep(): void {
    const lastToEnd = performance.now() - lifetimeMs;
    for (const { subscription, since } of running.values()) {
      if (since > lastToEnd) return;
      queue.run(() => leave(subscription));
    }
  }

  function stop(key: object): void {
    const found = running.get(key);
    if (found) leave(found.subscription);
    running.delete(key);
  }

  const timer = setInterval(sweep, Math.min(maxDelayMs, lifetimeMs / 4));
  return {
    begin: (key, subscription) => {
      running.set(key, { subscription, since: Math.trunc(performance.now()) });
    },
    end: (key) => {
      running.delete(key);
    },
    stop,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function leave(subscription: Endable): void {
  subscription.return().catch(() => undefined);
}
