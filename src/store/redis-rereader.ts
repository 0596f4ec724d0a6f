import { setTimeout as delay } from 'node:timers/promises';

/** Reads again what may have changed, until it has succeeded. */
export interface Rereader extends Disposable {
  /** At once; once more where a read is under way, which may have come too early. */
  read(channel: string): void;
  /** Many, some at a time, so that the nodes that lost the same server do not all ask at once. */
  readMany(channels: readonly string[], pauseMs?: number): Promise<void>;
}

const batchSize = 1_000;
/** The longest pause between two batches. */
const jitterMs = 20;
const retryMs = { least: 100, most: 400 };

/** @param readNow reads, and tells who watches. What rejects is done again. */
export function createRereader(readNow: (channel: string) => Promise<void>): Rereader {
  const underWay = new Set<string>();
  const again = new Set<string>();
  const closing = new AbortController();

  function read(channel: string): void {
    if (closing.signal.aborted) return;
    if (underWay.has(channel)) {
      again.add(channel);
      return;
    }
    underWay.add(channel);
    readNow(channel).then(
      () => finished(channel, 0),
      () => finished(channel, retryMs.least + Math.random() * (retryMs.most - retryMs.least), true),
    );
  }

  function finished(channel: string, pause: number, failed = false): void {
    const isWanted = again.delete(channel) || failed;
    underWay.delete(channel);
    if (!isWanted) return;
    if (pause === 0) read(channel);
    else setTimeout(read, pause, channel);
  }

  async function readMany(channels: readonly string[], pauseMs = jitterMs): Promise<void> {
    for (let first = 0; first < channels.length; first += batchSize) {
      await delay(Math.random() * pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
      for (const channel of channels.slice(first, first + batchSize)) read(channel);
    }
  }

  return { read, readMany, [Symbol.dispose]: () => closing.abort() };
}
