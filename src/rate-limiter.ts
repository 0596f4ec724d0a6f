import { crc32 } from 'node:zlib';

/**
 * Limits how often each key may do something: at most `perMinute` times within any 60 seconds. It is a sliding window in
 * steps of 5 s, so what was taken counts for 60 to 65 seconds.
 *
 * Memory is bounded: the first `maxKeys` keys (about 0.3 KiB each, besides the key's own text) have a count of their own
 * until they have taken nothing for a minute; while there is no room, each further key shares one of 1,024 counts. No
 * count is ever evicted, so many keys cannot reset another one's; they can only have new keys share.
 */
export interface RateLimiter {
  /** Takes one. 0: it was taken; otherwise it was not, and this is how many seconds to wait, 1 to 65. */
  take(key: string): number;
  /** What `take` would answer now. */
  wait(key: string): number;
  /** How many counts are kept: at most `maxKeys` + 1,024. */
  readonly size: number;
}

export interface RateLimiterOptions {
  /** At least 1. */
  readonly perMinute: number;
  readonly maxKeys: number;
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number;
}

const stepMs = 5_000;
const stepsOfMinute = 60_000 / stepMs;
const sharedCounts = 1_024;

export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { perMinute, maxKeys, now = () => performance.now() } = options;
  /** In the order in which they were last taken from. */
  const counts = new Map<string, Count>();

  /** What a key took within the last minute. A new one begins with what those that share took, itself perhaps among them. */
  function countOf(key: string, step: number): Count {
    forgetIdle(step);
    const count = counts.get(key) ?? counts.get(sharedBy(key)) ?? [];
    return count.filter((taken) => taken.step >= step - stepsOfMinute);
  }

  function waitFor(count: Count): number {
    const [oldest] = count;
    const total = count.reduce((sum, { times }) => sum + times, 0);
    if (!oldest || total < perMinute) return 0;
    return Math.max(Math.ceil(((oldest.step + stepsOfMinute + 1) * stepMs - now()) / 1000), 1);
  }

  function forgetIdle(step: number): void {
    for (const [key, count] of counts) {
      if ((count.at(-1)?.step ?? 0) >= step - stepsOfMinute) return;
      counts.delete(key);
    }
  }

  function present(): number {
    return Math.floor(now() / stepMs);
  }

  return {
    take(key) {
      const step = present();
      const count = countOf(key, step);
      const seconds = waitFor(count);
      if (seconds > 0) return seconds;
      const name = counts.has(key) || counts.size < maxKeys ? key : sharedBy(key);
      counts.delete(name);
      counts.set(name, added(count, step));
      return 0;
    },
    wait: (key) => waitFor(countOf(key, present())),
    get size() {
      return counts.size;
    },
  };
}

/** How often within each step, the oldest first. */
type Count = readonly { readonly step: number; readonly times: number }[];

function added(count: Count, step: number): Count {
  const last = count.at(-1);
  if (last?.step !== step) return [...count, { step, times: 1 }];
  return [...count.slice(0, -1), { step, times: last.times + 1 }];
}

/** No key of a caller begins so. */
function sharedBy(key: string): string {
  return `\0${crc32(key) % sharedCounts}`;
}
