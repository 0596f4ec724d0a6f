/** A socket, as far as what waits for its reader goes. */
export interface SlowReader {
  /** Ends it, and drops what waits for it. */
  end(): void;
}

/**
 * What waits for the readers of all sockets. A socket whose reader takes nothing for a while is ended, and when too much
 * waits in all, those that have taken nothing for longest are.
 */
export interface SocketBacklog extends Disposable {
  /** Bytes that wait, in all. */
  readonly bytes: number;
  /** So many bytes more wait for the reader. */
  grow(reader: SlowReader, bytes: number): void;
  /** So many bytes less do; while some `remain`, its time to take more begins anew. */
  shrink(reader: SlowReader, bytes: number, remain: boolean): void;
}

export interface BacklogOptions {
  /** How long a reader may take nothing while something waits for it, in ms. */
  readonly stalledMs?: number;
  /** Bytes that may wait in all. One answer more may be there for a moment. */
  readonly maxBytes?: number;
  /** Told of each socket that is ended, and why. */
  readonly onEnd?: ((reason: 'stalled' | 'too much waits') => void) | undefined;
}

export const usualBacklog = { stalledMs: 10_000, maxBytes: 128 * 1024 * 1024 };

/** How late a socket may be ended, in ms. */
const maxDelayMs = 1_000;

export function createSocketBacklog(options: BacklogOptions = {}): SocketBacklog {
  const { stalledMs, maxBytes } = { ...usualBacklog, ...options };
  const { onEnd = () => undefined } = options;
  /** For whom something waits, and since when they have taken nothing: the longest first. */
  const since = new Map<SlowReader, number>();
  const timer = setInterval(endStalled, Math.min(maxDelayMs, stalledMs));
  let waiting = 0;

  function endStalled(): void {
    const longAgo = performance.now() - stalledMs;
    for (const [reader, at] of since) {
      if (at > longAgo) return;
      end(reader, 'stalled');
    }
  }

  function endLongest(): void {
    const [longest] = since.keys();
    if (longest) end(longest, 'too much waits');
  }

  function end(reader: SlowReader, reason: 'stalled' | 'too much waits'): void {
    onEnd(reason);
    reader.end();
    since.delete(reader);
  }

  return {
    get bytes() {
      return waiting;
    },
    grow(reader, bytes) {
      waiting += bytes;
      if (!since.has(reader)) since.set(reader, performance.now());
      while (waiting > maxBytes && since.size > 0) endLongest();
    },
    shrink(reader, bytes, remain) {
      waiting -= bytes;
      since.delete(reader);
      if (remain) since.set(reader, performance.now());
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
