/** Ends subscriptions that have run for too long, so that no forgotten one is kept for ever. */
export interface SubscriptionLifetimes extends Disposable {
  /** `key` stands for the subscription until it ends. */
  begin(key: object, subscription: AsyncGenerator<unknown>): void;
  end(key: object): void;
  /** Ends a subscription that is still there. */
  stop(key: object): void;
}

/** How late the end may come, in ms. */
const maxDelayMs = 60_000;

/**
 * One timer for all, and two words for each: an idle subscription has to stay small. What began first ends first, so a
 * sweep looks at nothing that is still young.
 */
export function createSubscriptionLifetimes(lifetimeMs: number): SubscriptionLifetimes {
  const running = new Map<object, { subscription: AsyncGenerator<unknown>; since: number }>();

  function sweep(): void {
    const lastToEnd = performance.now() - lifetimeMs;
    for (const { subscription, since } of running.values()) {
      if (since > lastToEnd) return;
      leave(subscription);
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

function leave(subscription: AsyncGenerator<unknown>): void {
  subscription.return(undefined).catch(() => undefined);
}
