import type { MinuteLog } from '../log-once-a-minute.ts';
import type { FailedCheck, Refusal } from './callback-authenticator.ts';

/** Tells the operator of callbacks that were rejected: of each failed check, at most one line a minute. */
export function createRefusalLog(logOnce: MinuteLog): (refusal: Refusal) => void {
  return ({ failed, business }) =>
    logOnce(failed, { failed, business }, `callbacks are refused: ${reasons[failed]}`);
}

const reasons: Readonly<Record<FailedCheck, string>> = {
  network: 'they come from outside of CALLBACK_NETWORKS',
  token: 'they show no token of a business that there is',
  timestamp: 'their signed time is missing, or more than 5 minutes off',
  signature: 'their signature does not fit the body',
};
