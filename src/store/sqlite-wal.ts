import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startChore } from './chore.ts';
import type { StoreLog } from './log.ts';
import { walFileOf } from './sqlite-generation.ts';

/** The write-ahead log, as its operator sees it: it holds copies of what was erased, and a reader makes it grow. */
export interface Wal extends Disposable {
  /** The size of the file. */
  readonly bytes: number;
  /**
   * Empties it, so that nothing that was erased is in it. Resolves after the first try: if a reader is in the way,
   * it is tried again until it succeeds, and the operator is told.
   */
  truncate(): Promise<void>;
  /** Rebuilds the database by way of the WAL, which is as large meanwhile, and empties it. */
  vacuum(): Promise<void>;
}

export interface WalOptions {
  readonly path: string;
  readonly log?: StoreLog | undefined;
  /** Resolves to whether it was emptied. */
  readonly truncate: () => Promise<boolean>;
  readonly vacuum: () => Promise<unknown>;
  /** At how many bytes the operator is warned. SQLite alone keeps it below 64 MiB. */
  readonly warnBytes?: number | undefined;
  /** How often its size is looked at, and emptying it is tried again. */
  readonly everyMs?: number | undefined;
}

const defaultWarnBytes = 256 * 1_048_576;
const defaultEveryMs = 5_000;

export function watchWal(options: WalOptions): Wal {
  const { path, log, warnBytes = defaultWarnBytes, everyMs = defaultEveryMs } = options;
  const file = walFileOf(path);
  const stopping = new AbortController();
  let isLarge = false;
  let isHeldUp = false;
  let retrying = false;
  let vacuuming = 0;

  function size(): number {
    return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }

  async function look(): Promise<void> {
    const bytes = size();
    if (vacuuming > 0 || bytes > warnBytes === isLarge) return;
    isLarge = bytes > warnBytes;
    if (isLarge)
      log?.warn(
        { file, bytes },
        'The WAL of the database grows: another program, such as a backup that hangs, reads the database and keeps it from being checkpointed. End that program.',
      );
    else log?.info({ file, bytes }, 'The WAL of the database is small again.');
  }

  async function attempt(): Promise<boolean> {
    // If the worker is busy or gone, it is tried again without a word.
    const emptied = await options.truncate().catch(() => undefined);
    if (emptied === false && !isHeldUp) {
      isHeldUp = true;
      log?.warn(
        { file },
        'The WAL of the database cannot be emptied, since another program reads the database: what was erased may still be in it. It is tried again until that program ends.',
      );
    }
    if (emptied && isHeldUp) {
      isHeldUp = false;
      log?.info({ file }, 'The WAL of the database was emptied.');
    }
    return emptied === true;
  }

  async function truncate(): Promise<void> {
    if (retrying || (await attempt()) || retrying) return;
    retrying = true;
    retry().catch(() => undefined);
  }

  async function retry(): Promise<void> {
    do await delay(everyMs, undefined, { signal: stopping.signal });
    while (!(await attempt()));
    retrying = false;
  }

  async function vacuum(): Promise<void> {
    vacuuming += 1;
    try {
      await options.vacuum();
      await truncate();
    } finally {
      vacuuming -= 1;
    }
  }

  const chore = startChore(look, everyMs, () => undefined);
  return {
    truncate,
    vacuum,
    get bytes() {
      return size();
    },
    [Symbol.dispose]: () => {
      chore[Symbol.dispose]();
      stopping.abort();
    },
  };
}
