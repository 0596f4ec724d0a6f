import { setTimeout as delay } from 'node:timers/promises';

const patienceMs = 30_000;
const pollMs = 50;

/** Asks until it is so; what rejects is not so yet. @throws Error where it is not within 30 s. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`within ${patienceMs} ms it was not so that ${what}`);
    await delay(pollMs);
  }
}
