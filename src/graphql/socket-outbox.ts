import type { WebSocket } from 'ws';
import type { SlowReader, SocketBacklog } from './socket-backlog.ts';

/** What may wait for a reader, in bytes, before it counts as behind: nothing more is read from it or computed for it. */
export const maxWaitingBytes = 64 * 1024;
/** A longer message is written in such fragments, in bytes: how fast they leave tells a slow reader from one that stopped. */
const fragmentBytes = 16 * 1024;

export interface OutboxOwner {
  readonly socket: WebSocket;
  readonly backlog: SocketBacklog;
  /** Too much waits for the reader. */
  onBehind(): void;
  /** The reader is no longer behind. */
  onCaughtUp(): void;
  /** A reader that is behind has taken something. */
  onProgress(): void;
  /** Nothing more will be sent. */
  onDropped(): void;
}

interface Message {
  readonly bytes: Buffer;
  readonly sent: () => void;
}

/**
 * What is on its way to the reader of one socket. It serialises nothing itself: who has something large to compute for
 * the socket waits for the floor first, which one at a time has, and only while the reader is not behind.
 *
 * A class, because there is one for each idle connection.
 */
export class SocketOutbox implements SlowReader {
  readonly #owner: OutboxOwner;
  #waiting = 0;
  /** Those behind a long message, which is the first of them. Null: none is being written. */
  #queue: Message[] | null = null;
  #written = 0;
  #isBehind = false;
  #floorTaken = false;
  /** Null: nobody ever waited. */
  #floorQueue: ((granted: boolean) => void)[] | null = null;
  #owesPong = false;
  #ended = false;

  constructor(owner: OutboxOwner) {
    this.#owner = owner;
  }

  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Resolves once the message has left, or never will. */
  send(text: string): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    // As bytes: ws writes a string in two pieces, on a path of Node's that costs several µs more.
    const bytes = Buffer.from(text);
    this.#grow(bytes.length);
    if (!this.#isOpen) return Promise.resolve();
    return new Promise((sent) => {
      if (this.#queue) this.#queue.push({ bytes, sent });
      else this.#write({ bytes, sent });
    });
  }

  /** Answers a ping of graphql-transport-ws. Pings that come while something waits are answered once. */
  pong(): void {
    this.#owesPong = this.#waiting > 0;
    if (!this.#owesPong) void this.send('{"type":"pong"}');
  }

  /**
   * Takes the floor: true once it is the caller's, who gives it back by `leaveFloor`; false when the socket is closed.
   */
  takeFloor(): boolean | Promise<boolean> {
    if (!this.#isOpen) return false;
    if (!this.#floorTaken && !this.#isBehind) {
      this.#floorTaken = true;
      return true;
    }
    return new Promise((resolve) => {
      this.#floorQueue ??= [];
      this.#floorQueue.push(resolve);
    });
  }

  leaveFloor(): void {
    this.#floorTaken = false;
    this.#grantFloor();
  }

  /** Ends the socket, and drops what waits. */
  end(): void {
    this.#owner.socket.terminate();
    this.drop();
  }

  /** The socket is closed, or about to be: what waits will not leave. */
  drop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.onDropped();
    this.#owner.backlog.shrink(this, this.#waiting, false);
    this.#waiting = 0;
    for (const { sent } of this.#queue?.splice(0) ?? []) sent();
    for (const refuse of this.#floorQueue?.splice(0) ?? []) refuse(false);
  }

  get #isOpen(): boolean {
    const { socket } = this.#owner;
    return !this.#ended && socket.readyState === socket.OPEN;
  }

  #write(message: Message): void {
    const { bytes, sent } = message;
    if (bytes.length > maxWaitingBytes) {
      this.#queue = [message];
      this.#written = 0;
      this.#writeFragment(message);
    } else {
      this.#owner.socket.send(bytes, { binary: false }, (error) => {
        if (error) this.drop();
        else this.#shrink(bytes.length);
        sent();
      });
    }
  }

  #writeFragment(message: Message): void {
    const fragment = message.bytes.subarray(this.#written, this.#written + fragmentBytes);
    this.#written += fragment.length;
    const fin = this.#written === message.bytes.length;
    this.#owner.socket.send(fragment, { binary: false, fin }, (error) => {
      if (error) this.drop();
      if (this.#ended) return;
      this.#shrink(fragment.length);
      if (fin) this.#writeQueued(message);
      else this.#writeFragment(message);
    });
  }

  /** After a long message those that waited for it go, up to the next long one. */
  #writeQueued({ sent }: Message): void {
    const queued = this.#queue?.slice(1) ?? [];
    this.#queue = null;
    for (const message of queued) this.#writeOrQueue(message);
    sent();
  }

  #writeOrQueue(message: Message): void {
    if (this.#queue) this.#queue.push(message);
    else this.#write(message);
  }

  #grow(bytes: number): void {
    this.#waiting += bytes;
    this.#owner.backlog.grow(this, bytes);
    if (this.#ended || this.#isBehind || this.#waiting <= maxWaitingBytes) return;
    this.#isBehind = true;
    this.#owner.onBehind();
  }

  #shrink(bytes: number): void {
    if (this.#ended) return;
    this.#waiting -= bytes;
    this.#owner.backlog.shrink(this, bytes, this.#waiting > 0);
    if (this.#isBehind) this.#catchUp();
    if (this.#waiting === 0 && this.#owesPong) this.pong();
  }

  #catchUp(): void {
    this.#owner.onProgress();
    if (this.#waiting > maxWaitingBytes) return;
    this.#isBehind = false;
    this.#owner.onCaughtUp();
    this.#grantFloor();
  }

  #grantFloor(): void {
    if (this.#floorTaken || this.#isBehind) return;
    const grant = this.#floorQueue?.shift();
    if (!grant) return;
    this.#floorTaken = true;
    grant(true);
  }
}
