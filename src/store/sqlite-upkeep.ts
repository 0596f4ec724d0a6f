import type { StoreCondition } from './port.ts';
import { watchRetentionWait } from './retention-wait.ts';
import { startBackgroundCheck } from './sqlite-background-check.ts';
import type { Link } from './sqlite-link.ts';
import { type WalOptions, watchWal } from './sqlite-wal.ts';

/** What goes on beside the calls: the state of the files is watched, checked, and told to the operator. */
export interface Upkeep extends Disposable {
  readonly condition: StoreCondition;
  /** False while nothing expires, since the clock leapt. */
  mayPrune(): Promise<boolean>;
  /** To be called after something was erased: no copy of it stays in the WAL. */
  emptyWal(): Promise<void>;
  vacuum(): Promise<void>;
}

export interface UpkeepOptions extends Pick<WalOptions, 'path' | 'log'> {
  /** At how many bytes of the WAL the operator is warned. */
  readonly walWarnBytes?: number | undefined;
  /** How often the WAL is looked at, and emptying it is tried again. */
  readonly walEveryMs?: number | undefined;
  /** How long after the start the background check begins. */
  readonly checkStartMs?: number | undefined;
  /** Told of each range of rows that the background check found whole. */
  readonly onCheckedRange?: ((rows: number) => void) | undefined;
}

/** What the WAL has at most if no reader makes it grow: `journal_size_limit`. */
const usualWalBytes = 64 * 1_048_576;

export async function startUpkeep(link: Link, options: UpkeepOptions): Promise<Upkeep> {
  const { path, log } = options;
  using starting = new DisposableStack();
  const retentionWait = starting.use(await watchRetentionWait(() => link.ask(['retentionWait']), log));
  const wal = starting.use(
    watchWal({
      path,
      log,
      truncate: () => link.ask(['truncateWal']),
      vacuum: () => link.ask(['vacuum']),
      warnBytes: options.walWarnBytes,
      everyMs: options.walEveryMs,
    }),
  );
  // A former process may have erased something, and not lived to empty the WAL. One that a reader made grow takes long.
  const emptied = wal.truncate();
  if (wal.bytes <= usualWalBytes) await emptied;
  const { onCheckedRange: onRange, checkStartMs: startMs } = options;
  starting.use(startBackgroundCheck(link, { onRange, startMs }));
  const started = starting.move();

  return {
    get condition() {
      return { walBytes: wal.bytes, damage: link.damage, retentionWaitsUntil: retentionWait.until };
    },
    mayPrune: async () => (await retentionWait.look()) === null,
    emptyWal: wal.truncate,
    vacuum: wal.vacuum,
    [Symbol.dispose]: () => started.dispose(),
  };
}
