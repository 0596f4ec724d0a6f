import { GatewayError } from '../errors.ts';
import { createPatientClock } from './patient-clock.ts';
import { unavailable } from './unavailable.ts';

/** The calls that were not answered yet, none of which waits for ever. */
export interface Patience {
  /**
   * Resolves to what `work` does.
   *
   * @throws GatewayError STORE_UNAVAILABLE where it fails, where it takes longer, and where too many wait.
   */
  call<T>(work: () => Promise<T>): Promise<T>;

  readonly pending: number;

  /** Refuses later calls, and resolves once the earlier ones are answered or given up. */
  close(): Promise<void>;
}

export interface PatienceOptions {
  /** How long a call may take; less than 2 s. */
  readonly patienceMs?: number | undefined;
  /** How many calls may wait at a time. */
  readonly maxPending?: number | undefined;
}

interface Waiting {
  /** By the patient clock. */
  readonly until: number;
  readonly giveUp: (error: GatewayError) => void;
}

export function createPatience(options: PatienceOptions = {}): Patience {
  const { patienceMs = 1_800, maxPending = 20_000 } = options;
  // All wait equally long, so the first is always the next to be given up.
  const waiting = new Set<Waiting>();
  const clock = createPatientClock(giveUpLate);
  let closed: PromiseWithResolvers<void> | undefined;

  function giveUpLate(now: number): boolean {
    for (const call of waiting) {
      if (call.until > now) break;
      call.giveUp(unavailable(new Error(`The store did not answer within ${patienceMs} ms.`)));
    }
    return waiting.size > 0;
  }

  function leave(call: Waiting): void {
    waiting.delete(call);
    if (waiting.size === 0) closed?.resolve();
  }

  async function call<T>(work: () => Promise<T>): Promise<T> {
    if (closed) throw unavailable(new Error('The store is closed.'));
    if (waiting.size >= maxPending)
      throw unavailable(new Error(`${maxPending} calls wait for the store already.`));
    const given = Promise.withResolvers<never>();
    const entry = { until: clock.now + patienceMs, giveUp: given.reject };
    waiting.add(entry);
    clock.start();
    try {
      return await Promise.race([work(), given.promise]);
    } catch (error) {
      throw error instanceof GatewayError ? error : unavailable(error);
    } finally {
      leave(entry);
    }
  }

  return {
    call,
    get pending() {
      return waiting.size;
    },
    close: async () => {
      closed ??= Promise.withResolvers();
      if (waiting.size === 0) closed.resolve();
      await closed.promise;
      clock.stop();
    },
  };
}
