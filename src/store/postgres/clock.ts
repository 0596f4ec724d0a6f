import type { Idempotency } from '../../send.ts';
import type { Kind } from './batch.ts';
import { inSchema } from './schema-text.ts';
import type { Result, Statement } from './statement.ts';

/** The server's clock, which is the same for all nodes. */
export interface ServerClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** As of the last tick; null: things expire as usual. */
  readonly waitsUntil: number | null;
  /** Takes what the server has just said. */
  set(result: Result | undefined): void;
  /** The same, for which a key does not expire while there is a wait. */
  holdKey(idempotency: Idempotency): Idempotency;
}

/** Between two ticks this node's time runs on, and not its clock, which may be set. */
export function createServerClock(): ServerClock {
  let ahead = Date.now() - performance.now();
  let waitsUntil: number | null = null;

  return {
    now: () => Math.round(performance.now() + ahead),
    get waitsUntil() {
      return waitsUntil;
    },
    set: (result) => {
      const [row] = result?.rows ?? [];
      if (!row) return;
      ahead = Number(row['last_write']) - performance.now();
      waitsUntil = row['waits_until'] === null ? null : Number(row['waits_until']);
    },
    holdKey: (idempotency) =>
      waitsUntil === null ? idempotency : { ...idempotency, validSince: Number.NEGATIVE_INFINITY },
  };
}

/** What a tick would say, without a write: a session is made also while no write is confirmed. */
export function clockStatement(schema: string): Statement {
  return { text: inSchema(schema, clockText) };
}

/** Writes down that the store is written now, and whether retention and the expiry of keys wait. */
export function tickKind(schema: string): Kind<null, Result | undefined> {
  const statement: Statement = { text: inSchema(schema, tickText), name: 'tick' };
  return {
    businessOf: () => null,
    plan: (calls) => ({
      statements: [statement],
      read: ([result]) => calls.map(() => result),
    }),
  };
}

/**
 * As `waitAt` has it. A day is 86,400,000 ms; a gap between two ticks that is longer than ten minutes is no time that was
 * waited.
 */
const clockText = `select now as last_write, case
  when now - last_write > 86400000 then now + 86400000
  when waits_until + gap > now then least(waits_until + gap, now + 86400000)
end as waits_until
from (
  select now, last_write, waits_until, case when now - last_write > 600000 then now - last_write else 0 end as gap
  from (select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now) as server
  cross join :schema.clock
) as former`;

const tickText = `update :schema.clock set last_write = latest.last_write, waits_until = latest.waits_until
from (${clockText}) as latest
returning latest.last_write, latest.waits_until`;
