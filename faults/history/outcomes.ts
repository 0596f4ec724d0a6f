/** How often what was asked of the gateway ended in which way. */
export interface Outcomes {
  readonly callbacks: {
    answered: number;
    /** 503 with Retry-After. */
    refused: number;
    /** The connection was refused, or lost before an answer. */
    unanswered: number;
    /** The longest time, in ms, that an answer took. */
    longestMs: number;
  };
  readonly sends: {
    acknowledged: number;
    /** An error with `retryable: true`: nothing was sent. */
    refused: number;
    unanswered: number;
    /** SEND_OUTCOME_UNKNOWN, or an answer that was lost and never found out. */
    unknown: number;
  };
  readonly subscribers: {
    /** Sockets that ended while they were wanted. */
    disconnected: number;
    /** Subscriptions that were answered with an error with `retryable: true`. */
    refused: number;
  };
  /** How often each code came with a refused send or subscription. */
  readonly refusals: Map<string, number>;
  /** Answers that no fault excuses. */
  readonly surprises: string[];
}

export function noOutcomes(): Outcomes {
  return {
    callbacks: { answered: 0, refused: 0, unanswered: 0, longestMs: 0 },
    sends: { acknowledged: 0, refused: 0, unanswered: 0, unknown: 0 },
    subscribers: { disconnected: 0, refused: 0 },
    refusals: new Map(),
    surprises: [],
  };
}

/** Counts a refusal by its code. */
export function countRefusal({ refusals }: Outcomes, code = 'none'): void {
  refusals.set(code, (refusals.get(code) ?? 0) + 1);
}

/**
 * What a fault may cost besides time:
 * - refusals: callbacks 503, sends and subscriptions an error with `retryable: true`; all of them may be repeated;
 * - lost answers: connections end before the answer; callbacks are repeated, sends too with their idempotency key;
 * - unknown sends: SEND_OUTCOME_UNKNOWN for sends that were under way;
 * - sockets: they end, and their clients come back.
 */
export type Cost = 'refusals' | 'lost answers' | 'unknown sends' | 'sockets';

/** What it did cost. */
export function costsOf({ callbacks, sends, subscribers }: Outcomes): Set<Cost> {
  const costs: readonly (readonly [Cost, number])[] = [
    ['refusals', callbacks.refused + sends.refused + subscribers.refused],
    ['lost answers', callbacks.unanswered + sends.unanswered],
    ['unknown sends', sends.unknown],
    ['sockets', subscribers.disconnected],
  ];
  return new Set(costs.filter(([, times]) => times > 0).map(([cost]) => cost));
}
