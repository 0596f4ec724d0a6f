import type { DatabaseSync } from 'node:sqlite';
import type { Idempotency } from '../send.ts';
import { waitAt } from './clock-wait.ts';

/** When the store was last written, and whether retention and the expiry of idempotency keys wait: `waitAt`. */
export interface StoreClock {
  /** To be called first in each transaction. Writes its row at most once a minute. */
  tick(now: number): void;
  /** As of the last tick; null: there is no wait. */
  readonly waitsUntil: number | null;
  /** The same, for which a key does not expire while there is a wait. */
  holdKey(idempotency: Idempotency): Idempotency;
}

/** How exactly the last write is known. */
const toleranceMs = 60_000;

export function createStoreClock(db: DatabaseSync): StoreClock {
  const read = db.prepare('SELECT last_write, waits_until FROM clock');
  const write = db.prepare('UPDATE clock SET last_write = ?, waits_until = ?');
  let waitsUntil: number | null = null;

  return {
    tick: (now) => {
      const row = read.get() ?? {};
      const lastWrite = row['last_write'] as number | null;
      const former = row['waits_until'] as number | null;
      waitsUntil = waitAt(now, { lastWrite, waitsUntil: former });
      const known = lastWrite !== null && now >= lastWrite && now - lastWrite < toleranceMs;
      if (!known || waitsUntil !== former) write.run(now, waitsUntil);
    },
    get waitsUntil() {
      return waitsUntil;
    },
    holdKey: (idempotency) =>
      waitsUntil === null ? idempotency : { ...idempotency, validSince: Number.NEGATIVE_INFINITY },
  };
}
