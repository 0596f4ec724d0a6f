import type { Kind } from './batch.ts';

/** A call that waits for its answer. */
export interface Pending {
  readonly kind: Kind<unknown, unknown>;
  readonly call: unknown;
  readonly business: string | null;
  readonly key: string | null;
  readonly size: number;
  readonly done: PromiseWithResolvers<unknown>;
  readonly heard: ((answer: unknown) => void) | undefined;
  readonly failed: ((error: unknown) => void) | undefined;
  isWaiting: boolean;
}

/** At how many characters a batch is full. */
const maxSize = 16 * 1_048_576;

/** Divides what waits into the next batch and the rest. What nobody waits for any more is in neither. */
export function takeBatch(
  waiting: readonly Pending[],
  maxBatch: number,
): [batch: Pending[], rest: Pending[]] {
  const batch: Pending[] = [];
  const rest: Pending[] = [];
  const keys = new Set<string>();
  let size = 0;
  for (const pending of waiting) {
    const { isWaiting, key, done } = pending;
    if (!isWaiting) done.reject(new Error('Nobody waits for it any more.'));
    else if (batch.length >= maxBatch || size >= maxSize || (key !== null && keys.has(key)))
      rest.push(pending);
    else {
      batch.push(pending);
      size += pending.size;
      if (key !== null) keys.add(key);
    }
  }
  return [batch, rest];
}
