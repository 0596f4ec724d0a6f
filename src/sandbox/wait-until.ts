import { setTimeout } from 'node:timers/promises';

/** What a timer can hold; one that is set for longer fires at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Resolves once the clock says `instant` (epoch ms), never earlier, however far away that is.
 *
 * @throws AbortError when `signal` aborts first.
 */
export async function waitUntil(instant: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = instant - Date.now(); left > 0; left = instant - Date.now())
    await setTimeout(Math.min(left, longestTimerMs), undefined, { signal });
}
