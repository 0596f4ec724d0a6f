import type { Violation } from './check-history.ts';
import { type Cost, costsOf, type Outcomes } from './outcomes.ts';

/** A broken promise: of the history, or of how soon and at what cost a fault is over. */
export type Breach =
  | Violation
  | { readonly kind: 'late' | 'slow answer' | 'other cost' | 'surprise'; readonly what: string };

/** What is right on this machine, as `Scale` has it. */
export interface Limits {
  readonly rightWithinMs: number;
  readonly answerWithinMs: number;
  readonly machineCosts: readonly Cost[];
}

/**
 * What a fault cost beyond what it may:
 * - late: a subscriber waited for too long;
 * - slow answer: a callback did;
 * - other cost: one that is neither among `costs` nor the machine's;
 * - surprise: an answer that nothing excuses.
 */
export function checkPrice(
  costs: readonly Cost[],
  { rightWithinMs, answerWithinMs, machineCosts }: Limits,
  outcomes: Outcomes,
  longestWaitMs: number,
): Breach[] {
  const { longestMs } = outcomes.callbacks;
  const other = [...costsOf(outcomes)].filter(
    (cost) => !costs.includes(cost) && !machineCosts.includes(cost),
  );
  return [
    ...breachesIf('late', longestWaitMs > rightWithinMs, `a subscriber waited ${longestWaitMs} ms`),
    ...breachesIf('slow answer', longestMs > answerWithinMs, `a callback took ${Math.round(longestMs)} ms`),
    ...other.map((what) => ({ kind: 'other cost' as const, what })),
    ...outcomes.surprises.map((what) => ({ kind: 'surprise' as const, what })),
  ];
}

function breachesIf(kind: 'late' | 'slow answer', broken: boolean, what: string): Breach[] {
  return broken ? [{ kind, what }] : [];
}
