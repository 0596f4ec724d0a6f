/** How many digits a stamp has: microseconds since the epoch, until the year 2286. */
export const stampLength = 16;

/** How far, in ms, the process' own clock may be from the system's before it is set by that. */
const toleranceMs = 2;

/**
 * Makes stamps, by which lists are ordered: the time in microseconds, each later than the one before. Stamps of two
 * nodes are as good as their clocks; where they are equal, what follows them in an index decides.
 */
export function createStamps(): () => string {
  let last = 0;
  let origin = performance.timeOrigin;

  /** `Date` has whole milliseconds only, and `performance` does not follow when the system's clock is set. */
  function microseconds(): number {
    const before = performance.now();
    const wall = Date.now();
    const own = performance.now();
    // A process that was held up between the two readings knows nothing of how far they are apart.
    const areTogether = own - before < toleranceMs / 4;
    if (areTogether && Math.abs(origin + own - wall) > toleranceMs) origin = wall - own;
    return Math.floor((origin + own) * 1_000);
  }

  return () => {
    last = Math.max(last + 1, microseconds());
    return String(last).padStart(stampLength, '0');
  };
}
