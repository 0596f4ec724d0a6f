import type { Logger } from 'pino';
import type { FailedCheck, Refusal } from './callback-authenticator.ts';

/** Tells the operator of callbacks that were refused. */
export type ReportRefusal = (refusal: Refusal) => void;

const quietMs = 60_000;

/** Of each failed check, one line a minute at most, with how many there have been: whoever guesses fills no disk. */
export function createRefusalLog(log: Pick<Logger, 'warn'>, now: () => number = Date.now): ReportRefusal {
  const rows = new Map<FailedCheck, { refused: number; toldAt: number }>();

  return ({ failed, business }) => {
    const row = rows.get(failed) ?? { refused: 0, toldAt: Number.NEGATIVE_INFINITY };
    rows.set(failed, row);
    row.refused += 1;
    if (now() - row.toldAt < quietMs) return;
    log.warn({ failed, business, refused: row.refused }, `callbacks are refused: ${reasons[failed]}`);
    row.refused = 0;
    row.toldAt = now();
  };
}

const reasons: Readonly<Record<FailedCheck, string>> = {
  network: 'they come from outside of CALLBACK_NETWORKS',
  token: 'they show no token of a business that there is',
  timestamp: 'their signed time is missing, or more than 5 minutes off',
  signature: 'their signature does not fit the body',
};
