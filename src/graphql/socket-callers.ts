import { type Authenticate, hasExpired } from '../caller.ts';
import { GatewayError } from '../errors.ts';
import { createYieldingQueue } from '../yielding-queue.ts';
import { forbidden, tryAgainLater } from './close-codes.ts';
import type { SocketOperations } from './socket-operations.ts';

/** Knows who is at the other end of each socket, and until when. */
export interface SocketCallers extends Disposable {
  /** Resolves to whether a socket may go on, once it has shown `authorization`; one that may not is closed. */
  admit(socket: SocketOperations, authorization: unknown): Promise<boolean>;
  /** Forgets a socket that is closed. */
  leave(socket: SocketOperations): void;
}

/** How late a socket may close after what it showed has expired, in ms. Nothing is pushed meanwhile. */
const maxDelayMs = 1_000;
/** Sockets that are closed in one turn of the event loop. */
const closesPerTurn = 100;

/** One timer for all: looking at each socket once a second costs less than a timer for each. */
export function createSocketCallers(authenticate: Authenticate): SocketCallers {
  const known = new Set<SocketOperations>();
  const queue = createYieldingQueue(closesPerTurn);
  const timer = setInterval(closeExpired, maxDelayMs);

  function closeExpired(): void {
    for (const socket of known) if (isExpired(socket)) queue.run(() => void closeIfExpired(socket));
  }

  return {
    async admit(socket, authorization) {
      const caller = await Promise.resolve(authenticate(authorization)).catch((error) =>
        turnAway(socket, error),
      );
      if (!caller) return false;
      socket.caller = caller;
      // It may have closed while the token was looked at, and nobody would forget it then.
      if (!socket.closed) known.add(socket);
      return true;
    },
    leave: (socket) => void known.delete(socket),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Closes the socket of a caller whose token has expired, and returns whether it has. */
export function closeIfExpired(socket: SocketOperations): boolean {
  if (!isExpired(socket)) return false;
  socket.close(forbidden, 'UNAUTHENTICATED: The token has expired.');
  return true;
}

function isExpired({ caller }: SocketOperations): boolean {
  return caller !== null && hasExpired(caller);
}

/** Closes the socket, with why in the reason: there is no error before the acknowledgement. */
function turnAway(socket: SocketOperations, error: unknown): undefined {
  if (!(error instanceof GatewayError)) throw error;
  const code = error.code === 'UNAUTHENTICATED' ? forbidden : tryAgainLater;
  socket.close(code, `${error.code}: ${error.message}`);
}
