import type { Caller } from '../caller.ts';
import type { Floor } from './subscription-results.ts';

/**
 * What one socket has under way. graphql-ws keeps its own account by the client's ids, which a client can use twice:
 * this one is by operation, so that limits hold and nothing outlives the socket.
 *
 * A plain object, because there is one for each idle connection.
 */
export interface SocketOperations {
  /** Closes the socket. A reason that is too long is cut. */
  readonly close: (code: number, reason: string) => void;
  /** Whom the socket counts for. */
  readonly address: string;
  /** What subscriptions wait for before they compute a result. */
  readonly floor: Floor;
  /** Who is at the other end. Null: not known yet, or nobody is asked. */
  caller: Caller | null;
  readonly running: Set<object>;
  turnsTaken: number;
  /** Queries that wait for a turn. Null: none ever did. */
  waiting: ((mayRun: boolean) => void)[] | null;
  closed: boolean;
}

/** The queries, of whatever socket, that hold a turn. */
const turnHolders = new WeakSet<object>();

/** Queries of one socket that may run, or wait until their answers have left, at once: answers can be large. */
export const maxTurns = 2;

export function createSocketOperations(
  socket: Pick<SocketOperations, 'close' | 'address' | 'floor'>,
): SocketOperations {
  const { close, address, floor } = socket;
  return {
    close,
    address,
    floor,
    caller: null,
    running: new Set(),
    turnsTaken: 0,
    waiting: null,
    closed: false,
  };
}

/** Notes that an operation has begun. `operation` is any object that stands for it. */
export function beginOperation({ running }: SocketOperations, operation: object): void {
  running.add(operation);
}

/** Resolves to whether a query may run, once there is a turn for it: false when the socket has closed meanwhile. */
export async function takeTurn(operations: SocketOperations, operation: object): Promise<boolean> {
  if (operations.closed) return false;
  if (operations.turnsTaken < maxTurns) operations.turnsTaken += 1;
  else if (!(await nextTurn(operations))) return false;
  turnHolders.add(operation);
  return true;
}

/** Who gives a turn back hands it to the next in line. */
function nextTurn(operations: SocketOperations): Promise<boolean> {
  return new Promise((resolve) => {
    operations.waiting ??= [];
    operations.waiting.push(resolve);
  });
}

/** Notes that an operation has ended, and its last answer has left. */
export function endOperation(operations: SocketOperations, operation: object): void {
  operations.running.delete(operation);
  if (!turnHolders.delete(operation)) return;
  const next = operations.waiting?.shift();
  if (next) next(true);
  else operations.turnsTaken -= 1;
}

/** Rejects queued queries, and those to come: nobody would read their answers. */
export function rejectQueued(operations: SocketOperations): void {
  operations.closed = true;
  for (const reject of operations.waiting?.splice(0) ?? []) reject(false);
}

/** Rejects queued queries, and returns the operations that still run. */
export function closeOperations(operations: SocketOperations): Iterable<object> {
  rejectQueued(operations);
  return operations.running.keys();
}
