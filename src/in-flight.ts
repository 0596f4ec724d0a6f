/** Knows what work is under way, so that a shutdown can let it finish. */
export interface InFlight {
  track<T>(work: Promise<T>): Promise<T>;
  /** Resolves when no tracked work is under way. */
  idle(): Promise<void>;
}

export function createInFlight(): InFlight {
  const running = new Set<Promise<unknown>>();
  return {
    track(work) {
      const settled = work.then(forget, forget);
      running.add(settled);
      function forget(): void {
        running.delete(settled);
      }
      return work;
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
