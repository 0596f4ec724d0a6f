import type { Logger } from 'pino';
import { startChore } from './chore.ts';
import type { Store } from './port.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** Deletes what was last touched more than `days` ago: now, and every hour until it is disposed of. */
export function keepOnlyRecent(store: Store, days: number, log: Logger): Disposable {
  async function prune(): Promise<void> {
    const deleted = await store.prune(store.now() - days * dayMs);
    if (deleted > 0) log.info({ deleted, days }, 'messages past their retention were deleted');
  }

  return startChore(prune, hourMs, (error) =>
    log.warn({ err: error }, 'retention could not run; it will be tried again'),
  );
}
