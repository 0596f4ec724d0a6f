import { GatewayError } from '../errors.ts';

/** Bounds what queries hold in memory while they execute, over all connections of both transports. */
export interface OperationGate {
  /**
   * Runs an operation once there is room for it.
   *
   * @param waitingCharacters what is kept for it while it waits; it is asked only if it has to.
   * @throws GatewayError TOO_MANY_OPERATIONS if too much waits, or there was no room in time. Nothing was begun.
   */
  run<T>(weight: number, waitingCharacters: () => number, operation: () => Promise<T>): Promise<T>;
}

export interface GateLimits {
  /** Of the operations that run at once, in all: the bytes that their answers can have. A field takes some times more. */
  readonly maxWeight?: number;
  /** How many may wait. */
  readonly maxWaiting?: number;
  /** Characters of the variables of those that wait, as JSON. */
  readonly maxWaitingCharacters?: number;
  /** For how long, in ms. */
  readonly waitMs?: number;
}

interface Waiting {
  readonly weight: number;
  /** Whether there is room for it. */
  readonly enter: (mayRun: boolean) => void;
}

/** A quarter of the room is only for operations of at most this weight: large ones never keep all small ones waiting. */
const smallWeight = 128 * 1024;

export function createOperationGate(limits: GateLimits = {}): OperationGate {
  const { maxWeight = 16 * 1024 * 1024, maxWaiting = 2_000, waitMs = 5_000 } = limits;
  const { maxWaitingCharacters = 2 * 1024 * 1024 } = limits;
  const waiting = new Set<Waiting>();
  let running = 0;
  let characters = 0;

  function hasRoom(weight: number): boolean {
    return running === 0 || running + weight <= (weight > smallWeight ? 0.75 * maxWeight : maxWeight);
  }

  async function wait(weight: number, waitingCharacters: number): Promise<boolean> {
    if (waiting.size >= maxWaiting || characters + waitingCharacters > maxWaitingCharacters) return false;
    characters += waitingCharacters;
    const { promise, resolve: enter } = Promise.withResolvers<boolean>();
    const entry = { weight, enter };
    waiting.add(entry);
    const timer = setTimeout(enter, waitMs, false);
    const mayRun = await promise;
    clearTimeout(timer);
    waiting.delete(entry);
    characters -= waitingCharacters;
    return mayRun;
  }

  /** In their order, but for large ones that would keep small ones waiting. */
  function admitWaiting(): void {
    for (const entry of waiting) {
      if (running >= maxWeight) return;
      if (!hasRoom(entry.weight)) continue;
      running += entry.weight;
      waiting.delete(entry);
      entry.enter(true);
    }
  }

  return {
    async run(weight, waitingCharacters, operation) {
      if (hasRoom(weight)) running += weight;
      else if (!(await wait(weight, waitingCharacters()))) throw tooManyOperations();
      try {
        return await operation();
      } finally {
        running -= weight;
        if (waiting.size > 0) admitWaiting();
      }
    },
  };
}

export function tooManyOperations(): GatewayError {
  return new GatewayError('TOO_MANY_OPERATIONS', 'Too many operations run at once. Please repeat it.');
}
