import type { Socket } from 'node:net';

export interface UnreadLimits {
  /** Sweeps over which a connection may take nothing while something waits for it. */
  readonly maxIdleSweeps: number;
  /** Bytes that may wait for all connections. Beyond it those are closed for which something has waited longest. */
  readonly maxBytes: number;
  /** A connection was closed. */
  onClose(reason: 'stalled' | 'full'): void;
}

/** What waits for clients that do not read their answers. Each connection has one answer at a time. */
export interface UnreadAnswers {
  /** The connection answers a request from now on. */
  watch(socket: Socket): void;
  unwatch(socket: Socket): void;
  /** To be called when much may have been added: counts what waits, and closes connections if it is too much. */
  count(socket: Socket): void;
  /** To be called every second or so: counts, and closes connections that have taken nothing for too long. */
  sweep(): void;
}

interface Progress {
  /** Bytes of it that are in the total. */
  counted: number;
  /** Bytes that had not been taken by the last sweep, and how many sweeps before had found the same. */
  left: number;
  idleSweeps: number;
}

export function createUnreadAnswers({ maxIdleSweeps, maxBytes, onClose }: UnreadLimits): UnreadAnswers {
  const busy = new Map<Socket, Progress>();
  /** Those for which something waits, in the order in which it began to. */
  const waiting = new Set<Socket>();
  let total = 0;

  function countBytes(socket: Socket, progress: Progress, bytes: number): void {
    total += bytes - progress.counted;
    progress.counted = bytes;
    if (bytes > 0) waiting.add(socket);
    else waiting.delete(socket);
  }

  function close(socket: Socket, reason: 'stalled' | 'full'): void {
    unwatch(socket);
    socket.destroy();
    onClose(reason);
  }

  function unwatch(socket: Socket): void {
    const progress = busy.get(socket);
    if (progress) countBytes(socket, progress, 0);
    busy.delete(socket);
  }

  function closeIfFull(): void {
    for (const socket of waiting) {
      if (total <= maxBytes) return;
      close(socket, 'full');
    }
  }

  /** Sweeps are counted, not time: while the event loop was blocked, no client could show that it reads. */
  function hasStalled(socket: Socket, progress: Progress): boolean {
    const left = bytesLeft(socket);
    progress.idleSweeps = left > 0 && left === progress.left ? progress.idleSweeps + 1 : 0;
    progress.left = left;
    return progress.idleSweeps >= maxIdleSweeps;
  }

  return {
    watch: (socket) => void busy.set(socket, { counted: 0, left: 0, idleSweeps: 0 }),
    unwatch,
    count(socket) {
      const progress = busy.get(socket);
      if (!progress || socket.writableLength === 0) return;
      countBytes(socket, progress, socket.writableLength);
      closeIfFull();
    },
    sweep() {
      for (const [socket, progress] of busy) {
        countBytes(socket, progress, socket.writableLength);
        if (hasStalled(socket, progress)) close(socket, 'stalled');
      }
      closeIfFull();
    },
  };
}

/**
 * It falls with whatever the operating system takes. `writableLength` alone does not: it counts a chunk as whole until
 * the last byte of it is gone, and an answer is one chunk. What is left of that only the handle knows, as Node's own
 * socket timeout asks it.
 */
function bytesLeft(
  socket: Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null },
): number {
  return socket.writableLength + (socket._handle?.writeQueueSize ?? 0);
}
