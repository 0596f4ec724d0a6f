import { setTimeout as delay } from 'node:timers/promises';
import type { Rig } from '../rig/rig.ts';
import type { Scene } from '../scene.ts';

const pollMs = 10;

/** Resolves to the milliseconds from now until the next callback is taken. @throws Error where that is too long. */
export async function servesAgain({ outcomes, scale }: Scene<Rig>): Promise<number> {
  const before = outcomes.callbacks.answered;
  const begun = performance.now();
  while (outcomes.callbacks.answered === before) {
    const waited = performance.now() - begun;
    if (waited > scale.servesWithinMs) throw new Error(`nothing is served after ${Math.round(waited)} ms`);
    await delay(pollMs);
  }
  return performance.now() - begun;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
