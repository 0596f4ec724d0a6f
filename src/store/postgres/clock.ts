import { startChore } from '../chore.ts';
import type { Result, Statement } from './statement.ts';

/** The server's clock, which is the same for all nodes. */
export interface ServerClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Asks the server, which may be another than before. */
  set(ask: Ask): Promise<void>;
  /** Asks again every minute, until it is disposed of. */
  keepSet(ask: Ask): Disposable;
}

type Ask = (statement: Statement) => Promise<Result | undefined>;

const everyMs = 60_000;

const statement: Statement = {
  name: 'clock',
  text: 'select extract(epoch from clock_timestamp()) * 1000 as now',
};

/** Between two looks at the server's clock this node's time runs on, and not its clock, which may be set. */
export function createServerClock(): ServerClock {
  let ahead = Date.now() - performance.now();

  async function set(ask: Ask): Promise<void> {
    const before = performance.now();
    const now = Number((await ask(statement))?.rows[0]?.['now']);
    ahead = now - (before + performance.now()) / 2;
  }

  return {
    now: () => Math.round(performance.now() + ahead),
    set,
    // While there is no server, what it was is good enough.
    keepSet: (ask) =>
      startChore(
        () => set(ask),
        everyMs,
        () => undefined,
      ),
  };
}
