import type { StoreLog } from './log.ts';

/** Tells the operator of the first failure of a row, and of the first write after it. */
export interface Health {
  /** A write was done. Reads prove little: they need no space and no lock. */
  wrote(): void;
  failed(error: unknown): void;
  /** What fails from now on fails because it comes too late. */
  close(): void;
}

export function createHealth(log: StoreLog | undefined): Health {
  let failing = false;
  let closed = false;
  return {
    wrote: () => {
      if (!failing) return;
      failing = false;
      log?.info({}, 'The store serves again.');
    },
    failed: (error) => {
      if (failing || closed) return;
      failing = true;
      log?.error({ err: error }, 'The store cannot serve.');
    },
    close: () => {
      closed = true;
    },
  };
}
