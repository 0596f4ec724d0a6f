import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeReader } from './change-reader.ts';
import type { Connections } from './connections.ts';
import type { Epoch } from './epoch.ts';
import type { Pause } from './pause.ts';
import type { Change, Watched } from './watched.ts';

/** Looks again and again for what no wake-up has told of, and whether this is still the data that the node knows. */
export interface WatchPoll extends AsyncDisposable {
  /** This node has committed it. */
  saw(change: Change): void;
}

export interface WatchPollOptions {
  readonly epoch: Epoch;
  readonly watched: Watched;
  readonly changes: ChangeReader;
  readonly write: Connections['write'];
  /** Whoever ends it has the next look at once. */
  readonly pause: Pause;
  /** Whether the history was replaced since it was asked last. */
  readonly takeReset: () => boolean;
  readonly intervalMs: () => number;
}

/** However often it is called for, the readers are left to others for so long. */
const leastPauseMs = 20;

export function startWatchPoll(options: WatchPollOptions): WatchPoll {
  const { epoch, watched, changes, write, pause, takeReset, intervalMs } = options;
  /** If the last change that was committed is missing, so are others. */
  let witness: Pick<Change, 'business' | 'change'> | null = null;
  const closing = new AbortController();

  async function look(): Promise<void> {
    if (takeReset()) {
      watched.reset();
      witness = null;
    }
    const expected = witness;
    const { seen } = epoch;
    const { businesses } = watched;
    const wanted = new Set([...businesses.keys(), ...(expected ? [expected.business] : [])]);
    const { epoch: row, marks } = await changes.readMarks([...wanted]);
    const isBehind = marks.some(
      (mark) => mark.business === expected?.business && mark.change < expected.change,
    );
    const known = epoch.id;
    await epoch.compare(row, { seen, isBehind }, write);
    // What was read is of before: the next look begins anew.
    if (epoch.id !== known) return pause.end();
    for (const { change } of marks) epoch.saw(change);
    await changes.catchUp(marks);
  }

  async function keepLooking(): Promise<void> {
    while (!closing.signal.aborted) {
      await look().catch(epoch.failed);
      await delay(leastPauseMs, undefined, closing).catch(() => undefined);
      if (!closing.signal.aborted) await pause.wait(intervalMs());
    }
  }

  const looking = keepLooking();
  return {
    saw: ({ business, change }) => {
      if (change > (witness?.change ?? 0)) witness = { business, change };
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      pause.end();
      await looking;
    },
  };
}
