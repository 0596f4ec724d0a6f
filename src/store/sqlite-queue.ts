import { createPatientClock } from './patient-clock.ts';
import { DamageError } from './sqlite-damage.ts';
import type { Answer } from './sqlite-protocol.ts';
import { unavailable } from './unavailable.ts';

/**
 * The calls on their way to the worker. While one batch is out, the next gathers: the slower a commit, the more
 * calls share it, and a lone caller waits for nobody.
 */
export interface Queue {
  /**
   * Resolves to the answer.
   *
   * @throws GatewayError STORE_UNAVAILABLE when no answer came in time, the call failed, or too many wait.
   */
  ask(call: string, options?: AskOptions): Promise<unknown>;

  /** Sends batches to `post` from now on, one at a time. */
  connect(post: (batch: string) => void): void;

  /** The answers to the batch that is out. */
  answer(answers: readonly Answer[]): void;

  /** The worker is gone: rejects what is out and what waits. Later calls wait for the next `connect`. */
  disconnect(cause: unknown): void;

  /** How many calls were not answered yet. */
  readonly pending: number;

  /** Refuses later calls, and resolves once the earlier ones are answered or given up. */
  close(): Promise<void>;
}

export interface AskOptions {
  /** Gets the answer too, even when it comes after the call was given up. */
  readonly heard?: ((value: unknown) => void) | undefined;
  /** It takes long. Calls that are not heavy do not wait for one that its batch has no place for. */
  readonly heavy?: boolean;
  /** It has no deadline, and no other call shares its batch. */
  readonly unhurried?: boolean;
}

/** Told of each batch that was answered: how many milliseconds it was out, and how many calls it had. */
export type OnBatch = (milliseconds: number, calls: number) => void;

export interface QueueLimits {
  /** How long a call may wait for its answer. */
  readonly patienceMs?: number | undefined;
  /** How many calls may wait at a time. */
  readonly maxPending?: number;
  /** How many calls share a transaction at most, so that none keeps the others waiting for long. */
  readonly maxBatch?: number;
  /** How many of them may be heavy ones. */
  readonly maxHeavy?: number;
  /** At how many characters a batch is full. */
  readonly maxChars?: number;
}

export interface QueueOptions extends QueueLimits {
  readonly onBatch?: OnBatch | undefined;
}

interface Pending extends PromiseWithResolvers<unknown>, AskOptions {
  readonly call: string;
  /** By the patient clock. */
  readonly deadline: number;
}

export function createQueue(options: QueueOptions = {}): Queue {
  const { patienceMs = 1_800, maxPending = 20_000, onBatch } = options;
  const takeBatch = createTake(options);
  let post: ((batch: string) => void) | undefined;
  let out: Pending[] = [];
  let outSince = 0;
  let waiting: Pending[] = [];
  let gathering = false;
  const clock = createPatientClock(giveUpLate);
  let closed = false;

  function ask(call: string, { heard, heavy = false, unhurried = false }: AskOptions = {}): Promise<unknown> {
    if (closed) return Promise.reject(unavailable(new Error('The store is closed.')));
    if (out.length + waiting.length >= maxPending) {
      return Promise.reject(unavailable(new Error(`${maxPending} calls wait for the database already.`)));
    }
    const deadline = unhurried ? Number.POSITIVE_INFINITY : clock.now + patienceMs;
    const pending = { ...Promise.withResolvers<unknown>(), call, heard, heavy, unhurried, deadline };
    waiting.push(pending);
    clock.start();
    // Not at once: the calls that this turn of the event loop still brings share the batch.
    if (!gathering) setImmediate(postNext);
    gathering = true;
    return pending.promise;
  }

  function postNext(): void {
    gathering = false;
    if (!post || out.length > 0 || waiting.length === 0) return;
    [out, waiting] = takeBatch(waiting);
    outSince = performance.now();
    post(`[${out.map((pending) => pending.call).join(',')}]`);
  }

  function answer(answers: readonly Answer[]): void {
    const answered = out;
    onBatch?.(performance.now() - outSince, answered.length);
    out = [];
    postNext();
    for (const [index, pending] of answered.entries()) settle(pending, answers[index]);
  }

  function giveUpLate(now: number): boolean {
    const late = (pending: Pending) => pending.deadline <= now;
    // In the order of their deadlines, so most ticks look at no more than these.
    const first = [out[0], waiting.find(({ unhurried }) => !unhurried)].filter(
      (pending) => pending !== undefined,
    );
    if (!first.some(late)) return first.length > 0;
    const error = unavailable(new Error(`The database did not answer within ${patienceMs} ms.`));
    for (const pending of [...out, ...waiting].filter(late)) pending.reject(error);
    waiting = waiting.filter((pending) => !late(pending));
    return waiting.length > 0 || !out.every(late);
  }

  function disconnect(cause: unknown): void {
    post = undefined;
    const error = unavailable(cause);
    for (const pending of [...out, ...waiting]) pending.reject(error);
    out = [];
    waiting = [];
  }

  return {
    ask,
    answer,
    disconnect,
    get pending() {
      return out.length + waiting.length;
    },
    connect: (newPost) => {
      post = newPost;
      postNext();
    },
    close: async () => {
      closed = true;
      await Promise.allSettled([...out, ...waiting].map((pending) => pending.promise));
      clock.stop();
    },
  };
}

/** Divides what waits into the next batch and the rest, in their order. */
function createTake({ maxBatch = 2_000, maxHeavy = 16, maxChars = 16 * 1_048_576 }: QueueLimits) {
  return (waiting: readonly Pending[]): [batch: Pending[], rest: Pending[]] => {
    const batch: Pending[] = [];
    const rest: Pending[] = [];
    let heavy = 0;
    let chars = 0;
    for (const pending of waiting) {
      const alone = batch[0]?.unhurried || (pending.unhurried && batch.length > 0);
      const full = batch.length >= maxBatch || chars >= maxChars || alone;
      if (full || (pending.heavy && heavy >= maxHeavy)) {
        rest.push(pending);
        continue;
      }
      batch.push(pending);
      chars += pending.call.length;
      if (pending.heavy) heavy += 1;
    }
    return [batch, rest];
  };
}

/** Settling a call that was given up does nothing, so a late answer needs no care of its own. */
function settle({ heard, resolve, reject }: Pending, answer: Answer | undefined): void {
  if (!answer || 'error' in answer) {
    const reason = answer?.error ?? 'The worker did not answer this call.';
    reject(unavailable(answer?.damage ? new DamageError(reason) : new Error(reason)));
  } else {
    heard?.(answer.value);
    resolve(answer.value);
  }
}
