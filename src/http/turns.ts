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
  /** To be called with each new connection. */
  attach(socket: Socket): void;
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
 * answers in order. The next one is begun in a turn of the event loop of its own, once the answer before has been written
 * to the operating system, and none is on a connection that is closing.
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
      readNoMore(socket);
      socket.destroy();
    } else {
      waitingInAll += 1;
      line.push(turn);
      socket.pause();
    }
  }

  function start({ request, response, begin }: Turn): void {
    response.on('prefinish', answered);
    response.on('close', closed);
    begin(request, response);
  }

  function answered(this: ServerResponse): void {
    onAnswer(this.req.socket);
  }

  /** The event loop turns once between two requests of a pipeline, so that other connections have their turn. */
  function closed(this: ServerResponse): void {
    const { socket } = this.req;
    if (waiting.get(socket)?.length) setImmediate(next, socket);
    else next(socket);
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

  /**
   * Node resumes at the end of each request in what it has read, by an event that may come when the socket was paused
   * again: then pausing says nothing, and Node has to be told by hand to stop reading.
   */
  function stayPaused(this: Socket): void {
    if (waiting.get(this)?.length && this.pause()) this.emit('pause');
  }

  return {
    attach: (socket) => void socket.on('resume', stayPaused),
    inTurn: (begin) => (request, response) => take({ request, response, begin }),
    isBusy: (socket) => waiting.has(socket),
  };
}

/**
 * Node still parses what it has read of a connection that is destroyed, up to 1,500 requests, and keeps them until the
 * event loop has turned: of many connections at once that is more than fits. Without its listener a parsed request is
 * dropped.
 */
function readNoMore(socket: Socket & { readonly parser?: { onIncoming?: unknown } | null }): void {
  if (socket.parser) socket.parser.onIncoming = () => 0;
}
