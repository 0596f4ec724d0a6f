import { type ConnectionInitMessage, MessageType, type makeServer } from 'graphql-ws';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { type ClientFrame, readClientFrame } from './client-frame.ts';
import { badRequest, tryAgainLater } from './close-codes.ts';
import type { SocketBacklog } from './socket-backlog.ts';
import { closeIfExpired } from './socket-callers.ts';
import { createSocketOperations, rejectQueued, type SocketOperations } from './socket-operations.ts';
import { type OutboxOwner, SocketOutbox } from './socket-outbox.ts';

/** The part of graphql-ws that this adapter drives: it is told of each socket that opened. */
export type GraphqlProtocol = ReturnType<
  typeof makeServer<ConnectionInitMessage['payload'], SocketOperations>
>;

export interface AttachOptions {
  readonly protocol: GraphqlProtocol;
  /** Whom the socket counts for. */
  readonly address: string;
  /** Frames of every kind that the socket may send within any second of the clock. */
  readonly messagesPerSecond: number;
  readonly backlog: SocketBacklog;
  /** Called when the client has shown a sign of life. */
  readonly onAlive: () => void;
  /** Called once the socket is closed, with what is still to do for it. */
  readonly onClosed: (cleanUp: () => void) => void;
  readonly log: Logger;
}

/** Tells graphql-ws of a socket, by the little of it that graphql-ws needs. */
export function attachSocket(socket: WebSocket, options: AttachOptions): void {
  const { protocol, onAlive, onClosed, log } = options;
  const connection = new Connection(socket, options);
  const { operations } = connection;
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (text) => (closeIfExpired(operations) ? Promise.resolve() : connection.outbox.send(text)),
      close: operations.close,
      // It takes a message that was parsed already as well as its text.
      onMessage: (callback) => connection.listen(callback as (frame: unknown) => Promise<void>),
    },
    operations,
  );
  socket.on('message', (data: RawData, isBinary) => connection.receive(data, isBinary));
  socket.on('ping', () => connection.count());
  socket.on('pong', () => {
    connection.count();
    onAlive();
  });
  socket.on('close', (code, reason) => {
    connection.outbox.drop();
    onClosed(() => {
      Promise.resolve(closed(code, String(reason))).catch((error) =>
        log.error({ err: error }, 'cleaning up after a socket failed'),
      );
    });
  });
}

/**
 * One socket. While its reader is behind, no more is read from it; what had already arrived, one read of Node's at most,
 * waits here.
 */
class Connection implements OutboxOwner {
  readonly socket: WebSocket;
  readonly backlog: SocketBacklog;
  readonly outbox = new SocketOutbox(this);
  readonly operations: SocketOperations;
  readonly #options: AttachOptions;
  /** Null: nothing waits to be handled. */
  #inbox: string[] | null = null;
  #handle: (frame: ClientFrame) => Promise<void> = async () => {};
  #second = 0;
  #countInSecond = 0;

  constructor(socket: WebSocket, options: AttachOptions) {
    this.socket = socket;
    this.backlog = options.backlog;
    this.#options = options;
    const close = (code: number, reason: string) => socket.close(code, fitCloseFrame(reason));
    this.operations = createSocketOperations({ close, address: options.address, floor: this.outbox });
  }

  listen(handle: (frame: unknown) => Promise<void>): void {
    this.#handle = handle;
  }

  receive(data: RawData, isBinary: boolean): void {
    if (!this.count()) return;
    if (isBinary) this.socket.close(badRequest, 'A message is text');
    else if (this.outbox.isBehind) this.#keep(String(data));
    else this.#read(String(data));
  }

  /** Counts a frame. False: it is not to be handled, as the socket closes. */
  count(): boolean {
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return false;
    const second = Math.trunc(performance.now() / 1000);
    this.#countInSecond = second === this.#second ? this.#countInSecond + 1 : 1;
    this.#second = second;
    const mayGoOn = this.#countInSecond <= this.#options.messagesPerSecond;
    if (!mayGoOn) socket.close(tryAgainLater, 'Too many messages');
    return mayGoOn;
  }

  onBehind(): void {
    this.socket.pause();
  }

  onProgress(): void {
    this.#options.onAlive();
  }

  onCaughtUp(): void {
    while (this.#inbox && !this.outbox.isBehind) {
      const text = this.#inbox.shift();
      if (text === undefined) this.#inbox = null;
      else if (this.socket.readyState === this.socket.OPEN) this.#read(text);
    }
    if (!this.outbox.isBehind) this.socket.resume();
  }

  onDropped(): void {
    this.#inbox = null;
    rejectQueued(this.operations);
  }

  #keep(text: string): void {
    this.#inbox ??= [];
    this.#inbox.push(text);
  }

  #read(text: string): void {
    let frame: ClientFrame;
    try {
      frame = readClientFrame(text);
    } catch {
      this.socket.close(badRequest, 'Invalid message received');
      return;
    }
    if (frame.type === MessageType.Ping) this.outbox.pong();
    else if (frame.type !== MessageType.Pong) this.#handle(frame).catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#options.log.error({ err: error }, 'a message on a socket failed unexpectedly');
    this.socket.close(1011, 'Internal server error');
  }
}

/** What a close frame has room for (RFC 6455, 5.5), in bytes. */
const maxReasonBytes = 123;

/** Reasons quote ids, and ws throws when one is too long. */
function fitCloseFrame(reason: string): string {
  if (Buffer.byteLength(reason) <= maxReasonBytes) return reason;
  // A character that was cut in two becomes a replacement character, which is longer.
  return Buffer.from(reason)
    .subarray(0, maxReasonBytes - 3)
    .toString()
    .replace(/\uFFFD$/, '');
}
