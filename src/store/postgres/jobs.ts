import { NotConnected, readOnlyState, sqlStateOf } from './error.ts';
import type { Session } from './session.ts';
import type { Result, Statement } from './statement.ts';
import { openingOf, type TransactionKind } from './transactions.ts';

/** What waits for a session, and what has one. */
export interface Jobs {
  /** @throws as `Session.transact`, and `NotConnected` if nothing was sent. */
  run(kind: TransactionKind, statements: readonly Statement[], caller: Caller): Promise<readonly Result[]>;
  /** Sessions have come, or one is free. */
  dispatch(): void;
  /** Rejects all that wait. */
  close(): void;
}

/** Who waits for the answer; what nobody waits for any longer is not sent. */
export interface Caller {
  isWaiting: boolean;
}

export interface JobsOptions {
  readonly sessions: (kind: TransactionKind) => readonly Session[];
  /** Why there is none, if none is expected within a moment. */
  readonly unavailable: (kind: TransactionKind) => unknown;
  /** A server said that it takes no writes. */
  readonly readOnly: (session: Session) => void;
}

interface Job {
  readonly kind: TransactionKind;
  readonly statements: readonly Statement[];
  readonly caller: Caller;
  readonly done: PromiseWithResolvers<readonly Result[]>;
  isRepeated: boolean;
}

export function createJobs({ sessions, unavailable, readOnly }: JobsOptions): Jobs {
  const queues = { write: [] as Job[], other: [] as Job[] };
  let isClosed = false;

  function queueOf(kind: TransactionKind): Job[] {
    return kind === 'write' ? queues.write : queues.other;
  }

  function dispatch(): void {
    dispatchQueue('write');
    dispatchQueue('read');
  }

  function dispatchQueue(kind: TransactionKind): void {
    const queue = queueOf(kind);
    const idle = sessions(kind).filter((session) => session.isOpen && !session.isBusy);
    for (let job = next(queue); job && idle.length > 0; job = next(queue)) {
      const session = idle.shift();
      queue.shift();
      if (session) void carry(job, session);
    }
  }

  /** All wait equally long, so that those who wait no longer are the first. */
  function next(queue: Job[]): Job | undefined {
    while (queue[0]?.caller.isWaiting === false) queue.shift();
    return queue[0];
  }

  async function carry(job: Job, session: Session): Promise<void> {
    try {
      job.done.resolve(await runOn(session, job));
    } catch (error) {
      if (sqlStateOf(error) === readOnlyState) readOnly(session);
      if (canRepeat(job, session)) queueOf(job.kind).unshift({ ...job, isRepeated: true });
      else job.done.reject(error);
    }
    dispatch();
  }

  /** A read whose session was lost can be made again; once, as it may be what its server ends of. */
  function canRepeat({ kind, isRepeated }: Job, session: Session): boolean {
    return kind === 'read' && !isRepeated && !session.isOpen && !isClosed;
  }

  return {
    run: async (kind, statements, caller) => {
      const reason = isClosed ? new Error('The store is closed.') : unavailable(kind);
      if (reason) throw new NotConnected('There is no connection.', { cause: reason });
      const done = Promise.withResolvers<readonly Result[]>();
      done.promise.catch(() => undefined);
      queueOf(kind).push({ kind, statements, caller, done, isRepeated: false });
      dispatch();
      return done.promise;
    },
    dispatch,
    close: () => {
      isClosed = true;
      const waiting = [...queues.write.splice(0), ...queues.other.splice(0)];
      for (const { done } of waiting) done.reject(new NotConnected('The store is closed.'));
    },
  };
}

/** A session of its own has its limits from the start, and so a single read needs no transaction. */
async function runOn(session: Session, { kind, statements }: Job): Promise<readonly Result[]> {
  const [statement] = statements;
  if (kind === 'read' && !session.isPooled && statement && statements.length === 1)
    return [await session.ask(statement)];
  return session.transact(statements, openingOf[kind]);
}
