import type { Socket } from 'node:net';

/** Connections on which no request is being answered, the one that has been so for longest first. */
export interface IdleConnections {
  add(socket: Socket): void;
  delete(socket: Socket): void;
  /** Closes those that have been idle for too long, whatever they sent meanwhile that is no request. */
  closeExpired(): void;
  /** Closes the one that has been idle for longest, if that is long enough, and returns whether it did. */
  closeOldest(): boolean;
}

export function createIdleConnections(maxIdleMs: number, leastIdleMs: number): IdleConnections {
  /** To when each became idle, which is also their order. */
  const idle = new Map<Socket, number>();

  /** Closes the first one if it has been idle for so long. */
  function closeFirst(ms: number): boolean {
    const [first] = idle;
    if (first === undefined || performance.now() - first[1] < ms) return false;
    idle.delete(first[0]);
    first[0].destroy();
    return true;
  }

  return {
    add: (socket) => void idle.set(socket, performance.now()),
    delete: (socket) => void idle.delete(socket),
    closeExpired() {
      while (closeFirst(maxIdleMs));
    },
    closeOldest: () => closeFirst(leastIdleMs),
  };
}
