import type { OnStoreEvent } from '../store-event.ts';
import type { StoreLimits } from '../store-limits.ts';
import type { StoreBackend } from '../store-variables.ts';
import type { StoreLog } from './log.ts';
import type { Store } from './port.ts';
import type { OnPush } from './watchers.ts';

export interface OpenOptions {
  readonly log: StoreLog;
  /** Told of each write, or batch of calls: how many milliseconds it took, and how many calls it was. */
  readonly onBatch: (milliseconds: number, calls: number) => void;
  readonly onPush: OnPush;
  readonly onEvent: OnStoreEvent;
  readonly limits: StoreLimits;
}

/**
 * Opens the store with its own adapter, the only one that is loaded.
 *
 * @throws Error, with a message that tells the operator what to do, when it cannot be had.
 */
export async function openStore(backend: StoreBackend, options: OpenOptions): Promise<Store> {
  if (backend.kind === 'sqlite') {
    const { openSqliteStore } = await import('./sqlite.ts');
    return openSqliteStore({ ...options, path: backend.path });
  }
  const { openPostgresStore } = await import('./postgres/store.ts');
  return openPostgresStore({ ...options, ...backend });
}
