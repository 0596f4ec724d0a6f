import type { Logger } from 'pino';
import { startChore } from './chore.ts';
import type { Store } from './port.ts';

const minuteMs = 60_000;

export interface NightlyVacuumOptions {
  /** The hour of the day, in UTC, in which it runs. */
  readonly hour: number;
  readonly log: Logger;
  readonly now?: () => Date;
  readonly everyMs?: number;
}

/** Vacuums the store each day when an hour begins, until it is disposed of. */
export function vacuumNightly(store: Pick<Store, 'vacuum'>, options: NightlyVacuumOptions): Disposable {
  const { hour, log, now = () => new Date(), everyMs = minuteMs } = options;
  // A gateway that is started within the hour waits for the next day: it may be started often.
  let former = now().getUTCHours();

  async function lookAtClock(): Promise<void> {
    const current = now().getUTCHours();
    const begins = current === hour && former !== hour;
    former = current;
    if (!begins) return;
    const began = performance.now();
    await store.vacuum?.();
    log.info({ milliseconds: Math.round(performance.now() - began) }, 'the database was vacuumed');
  }

  return startChore(lookAtClock, everyMs, (error) =>
    log.warn({ err: error }, 'the database could not be vacuumed; it will be tried again the next day'),
  );
}
