import type { StoreLog } from './log.ts';

/** Whether retention and the expiry of idempotency keys wait, since the clock leapt: `waitAt`. */
export interface RetentionWait extends Disposable {
  /** As it was last seen, in epoch ms; null: there is no wait. */
  readonly until: number | null;
  /** Looks again. */
  look(): Promise<number | null>;
}

const minuteMs = 60_000;

/**
 * Looks now and every minute, and tells the operator when a wait begins and when it is over.
 *
 * @param ask until when nothing expires, as of now; null: there is no wait.
 */
export async function watchRetentionWait(
  ask: () => Promise<number | null>,
  log: StoreLog | undefined,
): Promise<RetentionWait> {
  let until: number | null = null;

  async function look(): Promise<number | null> {
    const former = until;
    until = await ask();
    if (former === null && until !== null)
      log?.warn(
        { until: new Date(until).toISOString() },
        'The clock is more than a day past the last write to the store. In case it is wrong, nothing is deleted and no idempotency key expires for a day. Check the clock.',
      );
    if (former !== null && until === null)
      log?.info(
        {},
        'The wait after the leap of the clock is over: retention runs, and idempotency keys expire.',
      );
    return until;
  }

  await look();
  const timer = setInterval(() => look().catch(() => undefined), minuteMs);
  return {
    look,
    get until() {
      return until;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
