import { setTimeout as delay } from 'node:timers/promises';

const limitMs = 30_000;

/** @throws Error where it is not so within half a minute: then it never will be. */
export async function withinLimit<T>(what: string, work: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const limit = delay(limitMs, undefined, { signal: settled.signal }).then(() => {
    throw new Error(`within ${limitMs} ms it was not so that ${what}`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    limit.catch(() => undefined);
    settled.abort();
  }
}
