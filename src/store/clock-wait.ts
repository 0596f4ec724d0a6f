/** Until when nothing expires, and when the store was last written. Instants are milliseconds since the epoch. */
export interface ClockState {
  /** Null: the store is new. */
  readonly lastWrite: number | null;
  /** Null: things expire as usual. */
  readonly waitsUntil: number | null;
}

const dayMs = 86_400_000;
/** A gap between two writes that is longer than this is no time that was waited: the store writes every minute. */
const longestGapMs = 600_000;

/**
 * A clock that is suddenly more than a day ahead may be wrong, and whatever expires by it would be lost for good: so
 * nothing does for a day. That day is one in which the store is served; a later leap of the clock, or a stop, does not
 * shorten it, and a clock that is set back does not lengthen it.
 *
 * @returns until when to wait from now on.
 */
export function waitAt(now: number, { lastWrite, waitsUntil }: ClockState): number | null {
  if (lastWrite === null) return null;
  const gap = now - lastWrite;
  if (gap > dayMs) return now + dayMs;
  if (waitsUntil === null) return null;
  const until = Math.min(gap > longestGapMs ? waitsUntil + gap : waitsUntil, now + dayMs);
  return until > now ? until : null;
}
