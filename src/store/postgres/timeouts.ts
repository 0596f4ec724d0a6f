import { createPatientClock } from '../patient-clock.ts';

/** Bounds what waits for a server, by a clock that stops while this thread is held up. */
export interface Timeouts extends Disposable {
  /**
   * @param late ends the work; its promise is not awaited any longer.
   * @throws TimeoutError after so many milliseconds.
   */
  within<T>(work: Promise<T>, milliseconds: number, late: () => void): Promise<T>;
}

export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

interface Waiting {
  readonly until: number;
  readonly expire: () => void;
}

export function createTimeouts(): Timeouts {
  const waiting = new Set<Waiting>();
  const clock = createPatientClock((now) => {
    for (const entry of waiting) if (entry.until <= now) entry.expire();
    return waiting.size > 0;
  });

  return {
    within: async (work, milliseconds, late) => {
      const expired = Promise.withResolvers<never>();
      const entry = {
        until: clock.now + milliseconds,
        expire: () => {
          waiting.delete(entry);
          expired.reject(new TimeoutError(`PostgreSQL did not answer within ${milliseconds} ms.`));
          late();
        },
      };
      waiting.add(entry);
      clock.start();
      return Promise.race([work, expired.promise]).finally(() => waiting.delete(entry));
    },
    [Symbol.dispose]: () => clock.stop(),
  };
}
