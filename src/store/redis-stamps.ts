/** How many digits a stamp has: microseconds since the epoch, until the year 2286. */
export const stampLength = 16;

/**
 * Makes stamps, by which lists are ordered: this process' clock in microseconds, each later than the one before. Two
 * nodes' stamps are as good as their clocks; where they are equal, what follows them in an index decides.
 */
export function createStamps(): () => string {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Date.now() * 1_000);
    return String(last).padStart(stampLength, '0');
  };
}
