import { GatewayError } from '../errors.ts';
import type { Answer } from './sqlite-protocol.ts';

/**
 * The calls on their way to the worker. While one batch is out, the next gathers: the slower a commit, the more
 * calls share it, and a lone caller waits for nobody.
 */
export interface Queue {
  /**
   * Resolves to the answer. `heard` gets it too, even when it comes after the call was given up.
   *
   * @throws GatewayError STORE_UNAVAILABLE when no answer came in time, the call failed, or too many wait.
   */
  ask(call: string, heard?: (value: unknown) => void): Promise<unknown>;

  /** Sends batches to `post` from now on, one at a time. */
  connect(post: (batch: string) => void): void;

  /** The answers to the batch that is out. */
  answer(answers: readonly Answer[]): void;

  /** The worker is gone: rejects what is out and what waits. Later calls wait for the next `connect`. */
  disconnect(cause: unknown): void;

  /** Refuses later calls, and resolves once the earlier ones are answered or given up. */
  close(): Promise<void>;
}

export interface QueueLimits {
  /** How long a call may wait for its answer. */
  readonly patienceMs?: number;
  /** How many calls may wait at a time. */
  readonly maxPending?: number;
  /** How many calls share a transaction at most, so that none keeps the others waiting for long. */
  readonly maxBatch?: number;
}

interface Pending extends PromiseWithResolvers<unknown> {
  readonly call: string;
  readonly heard: ((value: unknown) => void) | undefined;
  readonly deadline: number;
}

export function createQueue(limits: QueueLimits = {}): Queue {
  const { patienceMs = 1_800, maxPending = 20_000, maxBatch = 2_000 } = limits;
  let post: ((batch: string) => void) | undefined;
  let out: Pending[] = [];
  let waiting: Pending[] = [];
  let gathering = false;
  let clock: NodeJS.Timeout | undefined;
  let closed = false;

  function ask(call: string, heard?: (value: unknown) => void): Promise<unknown> {
    if (closed) return Promise.reject(unavailable(new Error('The store is closed.')));
    if (out.length + waiting.length >= maxPending) {
      return Promise.reject(unavailable(new Error(`${maxPending} calls wait for the database already.`)));
    }
    const deadline = performance.now() + patienceMs;
    const pending = { ...Promise.withResolvers<unknown>(), call, heard, deadline };
    waiting.push(pending);
    clock ??= setTimeout(giveUpLate, patienceMs);
    // Not at once: the calls that this turn of the event loop still brings share the batch.
    if (!gathering) setImmediate(postNext);
    gathering = true;
    return pending.promise;
  }

  function postNext(): void {
    gathering = false;
    if (!post || out.length > 0 || waiting.length === 0) return;
    out = waiting.splice(0, maxBatch);
    post(`[${out.map((pending) => pending.call).join(',')}]`);
  }

  function answer(answers: readonly Answer[]): void {
    const answered = out;
    out = [];
    postNext();
    for (const [index, pending] of answered.entries()) settle(pending, answers[index]);
  }

  function giveUpLate(): void {
    const now = performance.now();
    const error = unavailable(new Error(`The database did not answer within ${patienceMs} ms.`));
    const late = (pending: Pending) => pending.deadline <= now;
    for (const pending of out.filter(late)) pending.reject(error);
    for (const pending of waiting.filter(late)) pending.reject(error);
    waiting = waiting.filter((pending) => !late(pending));
    const next = out.find((pending) => !late(pending)) ?? waiting[0];
    clock = next && setTimeout(giveUpLate, next.deadline - now);
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
    connect: (newPost) => {
      post = newPost;
      postNext();
    },
    close: async () => {
      closed = true;
      await Promise.allSettled([...out, ...waiting].map((pending) => pending.promise));
      clearTimeout(clock);
    },
  };
}

/** Settling a call that was given up does nothing, so a late answer needs no care of its own. */
function settle({ heard, resolve, reject }: Pending, answer: Answer | undefined): void {
  if (!answer || 'error' in answer) {
    reject(unavailable(new Error(answer?.error ?? 'The worker did not answer this call.')));
  } else {
    heard?.(answer.value);
    resolve(answer.value);
  }
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError('STORE_UNAVAILABLE', 'The store cannot serve at present.', { cause });
}
