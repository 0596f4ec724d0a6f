import { setTimeout as delay } from 'node:timers/promises';

const firstPauseMs = 20;
const maxPauseMs = 500;

/**
 * Asks until the answer is final, with growing pauses of 20 to 500 ms, and for the last time when `withinMs` have
 * passed. Resolves to the last answer, final or not.
 */
export async function askUntil<T>(
  ask: () => Promise<T>,
  isFinal: (answer: T) => boolean,
  withinMs: number,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    const answer = await ask();
    const leftMs = deadline - performance.now();
    if (isFinal(answer) || leftMs <= 0) return answer;
    await delay(Math.min(pauseMs, leftMs), undefined, { ref: false });
  }
}
