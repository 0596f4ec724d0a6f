import type { Logger } from 'pino';
import { startChore } from './chore.ts';
import type { Store } from './port.ts';

const minuteMs = 60_000;
/** What a send may take besides its own time: two writes to the store, and a busy process. */
const graceMs = 60_000;

/**
 * Settles what nobody will settle any more: sends whose answer came and could not be written down become UNKNOWN, now
 * and every minute until it is disposed of.
 *
 * @param timeoutMs how long a send may take.
 */
export function settleLostSends(store: Store, timeoutMs: number, log: Logger): Disposable {
  async function settle(): Promise<void> {
    const now = store.now();
    const sends = await store.settleLost(now - timeoutMs - graceMs, now);
    if (sends > 0) log.warn({ sends }, 'the outcome of sends is lost; they are UNKNOWN now');
  }

  return startChore(settle, minuteMs, (error) =>
    log.warn({ err: error }, 'lost sends could not be settled; it will be tried again'),
  );
}
