import type { ConnectionInitMessage, makeServer } from 'graphql-ws';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { tryAgainLater } from './close-codes.ts';
import { closeIfExpired } from './socket-callers.ts';
import { createSocketOperations, type SocketOperations } from './socket-operations.ts';

/** The part of graphql-ws that this adapter drives: it is told of each socket that opened. */
export type GraphqlProtocol = ReturnType<
  typeof makeServer<ConnectionInitMessage['payload'], SocketOperations>
>;

export interface AttachOptions {
  readonly protocol: GraphqlProtocol;
  /** Whom the socket counts for. */
  readonly address: string;
  /** Messages that the socket may send within any second of the clock. */
  readonly messagesPerSecond: number;
  /** Called once the socket is closed. */
  readonly leave: () => void;
  readonly log: Logger;
}

/** What may wait for a slow reader before its own requests are no longer read. */
const maxWaitingBytes = 1024 * 1024;

/** Tells graphql-ws of a socket, by the little of it that graphql-ws needs. */
export function attachSocket(socket: WebSocket, options: AttachOptions): void {
  const { protocol, address, messagesPerSecond, leave, log } = options;
  let onMessage: (data: string) => Promise<void> = async () => {};
  const close = (code: number, reason: string) => socket.close(code, reason);
  const operations = createSocketOperations({ close, address });
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) => (closeIfExpired(operations) ? Promise.resolve() : send(socket, data)),
      close,
      onMessage: (callback) => {
        onMessage = callback;
      },
    },
    operations,
  );
  const isTooMany = countBySecond(messagesPerSecond);
  socket.on('message', (data: RawData) => {
    if (socket.readyState !== socket.OPEN) return;
    if (isTooMany()) socket.close(tryAgainLater, 'Too many messages');
    else onMessage(String(data)).catch((error) => fail(socket, error, log));
  });
  socket.on('close', (code, reason) => {
    leave();
    Promise.resolve(closed(code, String(reason))).catch((error) =>
      log.error({ err: error }, 'leaving failed'),
    );
  });
}

/** Counts one more at each call. True once the present second of the clock has more than `max`. */
function countBySecond(max: number): () => boolean {
  let second = 0;
  let count = 0;
  return () => {
    const now = Math.trunc(performance.now() / 1000);
    count = now === second ? count + 1 : 1;
    second = now;
    return count > max;
  };
}

/**
 * Resolves once the data has left: graphql-ws pulls the next state only then, so what waits for a slow reader is one
 * state for each subscription. A socket that is gone takes anything.
 */
function send(socket: WebSocket, data: string): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  return new Promise((resolve) => {
    // As bytes: ws writes a string in two pieces, on a path of Node's that costs several µs more.
    socket.send(Buffer.from(data), { binary: false }, () => {
      if (socket.isPaused) socket.resume();
      resolve();
    });
    if (socket.bufferedAmount > maxWaitingBytes) socket.pause();
  });
}

function fail(socket: WebSocket, error: unknown, log: Logger): void {
  log.error({ err: error }, 'a message on a socket failed unexpectedly');
  socket.close(1011, 'Internal server error');
}
