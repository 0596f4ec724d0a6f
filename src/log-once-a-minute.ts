/** Logs a warning for a key: the first at once, then at most one line a minute, with how many came in between. */
export type MinuteLog = (key: string, fields: object, message: string) => void;

/** A pino logger is one. */
export interface WarningLog {
  warn(fields: object, message: string): void;
}

const quietMs = 60_000;
/** Keys that are told apart. Further ones share one line a minute, so that whoever can choose a key fills neither disk nor memory. */
export const maxKeys = 100;
const anyOther = Symbol('any other key');

/** Lines carry `suppressed`: those of the same key that were left out since the line before. */
export function createMinuteLog(log: WarningLog, now: () => number = Date.now): MinuteLog {
  const rows = new Map<string | symbol, { suppressed: number; loggedAt: number }>();

  function rowOf(key: string) {
    const id = rows.has(key) || rows.size < maxKeys ? key : anyOther;
    const row = rows.get(id) ?? { suppressed: 0, loggedAt: Number.NEGATIVE_INFINITY };
    rows.set(id, row);
    return row;
  }

  return (key, fields, message) => {
    const row = rowOf(key);
    if (now() - row.loggedAt < quietMs) {
      row.suppressed += 1;
      return;
    }
    log.warn({ ...fields, suppressed: row.suppressed }, message);
    row.suppressed = 0;
    row.loggedAt = now();
  };
}
