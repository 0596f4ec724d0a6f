/** Who waits for a channel to be heard. */
export interface Waiters {
  wait(channel: string): Promise<void>;
  resolve(channel: string): void;
  /** Nobody is to wait for it any more. */
  drop(channel: string): void;
  dropAll(): void;
}

export function createWaiters(): Waiters {
  const waiting = new Map<string, PromiseWithResolvers<void>>();

  function drop(channel: string): void {
    waiting.get(channel)?.reject(new Error('The watch ended before it was open.'));
    waiting.delete(channel);
  }

  return {
    wait: (channel) => {
      const waiter = waiting.get(channel) ?? Promise.withResolvers<void>();
      waiting.set(channel, waiter);
      waiter.promise.catch(() => undefined);
      return waiter.promise;
    },
    resolve: (channel) => {
      waiting.get(channel)?.resolve();
      waiting.delete(channel);
    },
    drop,
    dropAll: () => {
      for (const channel of waiting.keys()) drop(channel);
    },
  };
}
