import type { Health } from '../health.ts';
import { createPatience } from '../patience.ts';
import { unavailable } from '../unavailable.ts';
import { again, type Kind, type Plan } from './batch.ts';
import type { Connections } from './connections.ts';
import { changedNothing, sqlStateOf } from './error.ts';
import { lockBusinesses } from './locks.ts';
import type { Result, Statement } from './statement.ts';
import { type Pending, takeBatch } from './take-batch.ts';

/**
 * The writes on their way to the server. While one transaction is out, the next batch gathers: the slower a commit, the more
 * calls share it, and a lone caller waits for nobody.
 */
export interface Queue {
  /**
   * @param heard gets the answer also if nobody waits for it any more, in the order of the commits.
   * @param failed gets the error of a transaction, likewise. What was never sent has neither.
   * @throws GatewayError STORE_UNAVAILABLE. It may have been done all the same.
   */
  ask<Call, Answer>(
    kind: Kind<Call, Answer>,
    call: Call,
    heard?: (answer: Answer) => void,
    failed?: (error: unknown) => void,
  ): Promise<Answer>;
  /** @throws GatewayError STORE_UNAVAILABLE after `close`. */
  requireOpen(): void;
  /** Resolves once all that was asked before is answered or given up. */
  settled(): Promise<void>;
  readonly pending: number;
  /** Rejects later calls, and resolves once the earlier ones are answered or given up. */
  close(): Promise<void>;
}

export interface QueueOptions {
  readonly write: Connections['write'];
  readonly schema: string;
  /** In the order in which a transaction does them. */
  readonly kinds: readonly AnyKind[];
  readonly health: Health;
  readonly onBatch?: ((milliseconds: number, calls: number) => void) | undefined;
  readonly patienceMs?: number | undefined;
  /** How many calls share a transaction at most, so that none keeps the others waiting for long. */
  readonly maxBatch?: number | undefined;
}

type AnyKind = Kind<never, unknown>;

export function createQueue(options: QueueOptions): Queue {
  const { write, schema, kinds, health, onBatch, maxBatch = 2_000 } = options;
  const patience = createPatience({ patienceMs: options.patienceMs });
  let waiting: Pending[] = [];
  let out: readonly Pending[] = [];
  let gathering = false;
  let isClosed = false;

  function enqueue(pending: Pending): void {
    waiting.push(pending);
    // Not at once: the calls that this turn of the event loop still brings share the batch.
    if (!gathering && out.length === 0) setImmediate(next);
    gathering = true;
  }

  function next(): void {
    gathering = false;
    if (out.length > 0) return;
    [out, waiting] = takeBatch(waiting, maxBatch);
    if (out.length === 0) return;
    const began = performance.now();
    const count = out.length;
    void run(out).then(() => {
      onBatch?.(performance.now() - began, count);
      out = [];
      next();
    });
  }

  async function run(batch: readonly Pending[]): Promise<void> {
    try {
      const groups = kinds.flatMap((kind) => planGroup(kind, batch));
      await transact(batch, groups).catch((error) => {
        throw canSplit(error) ? new RowError(error) : error;
      });
      health.wrote();
    } catch (error) {
      await runApart(batch, error);
    }
  }

  /** After a row that cannot be written, or cannot even be sent, its batch is written without it. */
  async function runApart(batch: readonly Pending[], error: unknown): Promise<void> {
    if (batch.length === 1 || !(error instanceof RowError)) return reject(batch, error);
    const half = Math.ceil(batch.length / 2);
    await run(batch.slice(0, half));
    await run(batch.slice(half));
  }

  function reject(batch: readonly Pending[], error: unknown): void {
    if (!(error instanceof RowError)) health.failed(error);
    for (const { done, failed } of batch) {
      failed?.(error);
      done.reject(unavailable(error));
    }
  }

  async function transact(batch: readonly Pending[], groups: readonly Group[]): Promise<void> {
    const businesses = new Set(batch.map(({ business }) => business).filter((business) => business !== null));
    const locks = businesses.size > 0 ? [lockBusinesses(schema, businesses)] : [];
    const results = await write([...locks, ...groups.flatMap(({ statements }) => statements)]);
    let at = locks.length;
    for (const { statements, settle } of groups) {
      settle(results.slice(at, at + statements.length));
      at += statements.length;
    }
  }

  function planGroup(kind: AnyKind, batch: readonly Pending[]): Group[] {
    const calls = batch.filter((pending) => pending.kind === (kind as Kind<unknown, unknown>));
    const [first] = calls;
    if (!first) return [];
    const { statements, read } = planOf(
      first.kind,
      calls.map(({ call }) => call),
    );
    return [{ statements, settle: (results) => settleAll(calls, read(results)) }];
  }

  function settleAll(calls: readonly Pending[], answers: readonly unknown[]): void {
    for (const [index, pending] of calls.entries()) {
      const answer = answers[index];
      if (answer === again) {
        enqueue(pending);
        continue;
      }
      pending.heard?.(answer);
      pending.done.resolve(answer);
    }
  }

  async function ask(
    kind: Kind<unknown, unknown>,
    call: unknown,
    heard?: (answer: unknown) => void,
    failed?: (error: unknown) => void,
  ): Promise<unknown> {
    const business = kind.businessOf(call);
    const key = kind.keyOf?.(call) ?? null;
    const size = kind.sizeOf?.(call) ?? 0;
    const pending: Pending = {
      kind,
      call,
      business,
      key,
      size,
      done: Promise.withResolvers(),
      heard,
      failed,
      isWaiting: true,
    };
    pending.done.promise.catch(() => undefined);
    return patience
      .call(() => {
        enqueue(pending);
        return pending.done.promise;
      })
      .finally(() => {
        pending.isWaiting = false;
      });
  }

  return {
    ask: ask as Queue['ask'],
    settled: async () => {
      await Promise.allSettled([...out, ...waiting].map(({ done }) => done.promise));
    },
    get pending() {
      return patience.pending;
    },
    requireOpen: () => {
      if (isClosed) throw unavailable(new Error('The store is closed.'));
    },
    close: () => {
      isClosed = true;
      return patience.close();
    },
  };
}

interface Group {
  readonly statements: readonly Statement[];
  readonly settle: (results: readonly Result[]) => void;
}

/** Something about one of the calls keeps them all from being written. */
class RowError extends Error {
  constructor(cause: unknown) {
    super('A row cannot be written.', { cause });
  }
}

function planOf(kind: Kind<unknown, unknown>, calls: readonly unknown[]): Plan<unknown> {
  try {
    return kind.plan(calls);
  } catch (error) {
    throw new RowError(error);
  }
}

/** A row may be what the server cannot take: a value that is out of range, or too long for an index. */
function canSplit(error: unknown): boolean {
  return changedNothing(error) && /^(2[1-3]|54)/.test(sqlStateOf(error) ?? '');
}
