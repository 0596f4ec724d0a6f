import type { AnsweredSend } from './steady-sends.ts';

/** The instants of an outage, as `performance.now()`. */
export interface OutageTimes {
  readonly downAt: number;
  /** When the gateway's breaker opened. */
  readonly openedAt: number;
  /** Right before Pingup came back. */
  readonly backAt: number;
}

/** Codes that a send may end with while Pingup is down. */
const codesWhileDown: ReadonlySet<string> = new Set(['PINGUP_UNAVAILABLE', 'SEND_OUTCOME_UNKNOWN']);

/**
 * Checks what the gateway answered by what arrived at Pingup: nothing twice; what was accepted once; what was turned
 * away never. While Pingup is down, nothing is accepted, and what is turned away says when to come back.
 *
 * @throws Error with the first sends that are otherwise.
 */
export function checkSends(
  sends: readonly AnsweredSend[],
  arrivals: ReadonlyMap<string, number>,
  times: OutageTimes,
): void {
  const wrong = sends.filter((send) => !isRight(send, arrivals.get(send.text) ?? 0, times));
  if (wrong.length === 0) return;
  const shown = wrong
    .slice(0, 3)
    .map((send) => JSON.stringify({ ...send, arrived: arrivals.get(send.text) }));
  throw new Error(`${wrong.length} of ${sends.length} sends were answered wrongly: ${shown.join(', ')}`);
}

function isRight(send: AnsweredSend, arrived: number, { openedAt, downAt, backAt }: OutageTimes): boolean {
  const { outcome, retryAfterSeconds } = send;
  const mayArrive = { ACCEPTED: [1, 1], PINGUP_UNAVAILABLE: [0, 0], SEND_OUTCOME_UNKNOWN: [0, 1] }[outcome];
  const [least = 1, most = 0] = mayArrive ?? [];
  if (arrived < least || arrived > most) return false;
  const isDown = send.dueAt > downAt && send.endedAt < backAt;
  if (isDown && !codesWhileDown.has(outcome)) return false;
  const isOpen = send.dueAt > openedAt && send.endedAt < backAt;
  return !isOpen || outcome !== 'PINGUP_UNAVAILABLE' || retryAfterSeconds !== undefined;
}
