import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface TurnOptions {
  /** A connection begins to answer a request. */
  onBusy(socket: Socket): void;
  /** A connection has answered all of its requests and may have more. */
  onIdle(socket: Socket): void;
  /** The answer to a request is complete and was handed to the connection, which may not have sent it yet. */
  onAnswer(socket: Socket): void;
  /** Pipelined requests that may wait, over all connections: one more closes its connection. About 4 KiB each. */
  readonly maxWaiting?: number;
}

export interface Turns {
  /** `begin` for each request in its turn. */
  inTurn(begin: RequestListener): RequestListener;
  /** Whether a connection is answering a request. */
  isBusy(socket: Socket): boolean;
}

interface Turn {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly begin: RequestListener;
}

/**
 * Answers pipelined requests one after the other: Node begins all of a connection's requests at once and only puts their
 * answers in order. The next one is begun when the answer before has been written to the operating system, and none is
 * on a connection that is closing.
 *
 * A connection with waiting requests is not read, so it can add no more than Node had read by then: 64 KiB.
 */
export function createTurns({ onBusy, onIdle, onAnswer, maxWaiting = 10_000 }: TurnOptions): Turns {
  /** Of each busy connection. */
  const waiting = new WeakMap<Socket, Turn[]>();
  let waitingInAll = 0;

  function take(turn: Turn): void {
    const { socket } = turn.request;
    const line = waiting.get(socket);
    if (!socket.writable) return;
    if (line === undefined) {
      waiting.set(socket, []);
      onBusy(socket);
      start(turn);
    } else if (waitingInAll >= maxWaiting) {
      socket.destroy();
    } else {
      waitingInAll += 1;
      // Once Node has been through what it has read: until then it would resume at the end of each request.
      if (line.push(turn) === 1) queueMicrotask(() => line.length > 0 && socket.pause());
    }
  }

  function start({ request, response, begin }: Turn): void {
    const { socket } = request;
    response.once('prefinish', () => onAnswer(socket));
    response.once('close', () => next(socket));
    begin(request, response);
  }

  function next(socket: Socket): void {
    const line = waiting.get(socket) ?? [];
    const turn = socket.writable ? line.shift() : undefined;
    if (turn) {
      waitingInAll -= 1;
      start(turn);
    } else {
      waitingInAll -= line.splice(0).length;
      waiting.delete(socket);
      if (socket.isPaused()) socket.resume();
      onIdle(socket);
    }
  }

  return {
    inTurn: (begin) => (request, response) => take({ request, response, begin }),
    isBusy: (socket) => waiting.has(socket),
  };
}
