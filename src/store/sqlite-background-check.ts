import { setTimeout as delay } from 'node:timers/promises';
import type { Link } from './sqlite-link.ts';

export interface BackgroundCheckOptions {
  /** What comes first after a start has the worker to itself for so long. */
  readonly startMs?: number | undefined;
  /** Told of each range that was found whole, with the number of its rows. */
  readonly onRange?: ((rows: number) => void) | undefined;
}

/** How long it pauses after a range, as a part of what that took: it may have a tenth of the worker's time. */
const pausePart = 9;
/** Before what could not be read, since the worker is gone or busy, is tried again. */
const retryMs = 1_000;

/** Reads the whole database once, range by range, until it is disposed of or damage is found: `Link.damage`. */
export function startBackgroundCheck(
  link: Pick<Link, 'ask' | 'damage'>,
  { onRange, startMs = 1_000 }: BackgroundCheckOptions = {},
): Disposable {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function checkAll(): Promise<void> {
    await delay(startMs, undefined, { signal });
    for (const table of await untilAnswered(() => link.ask(['checkedTables']))) await checkTable(table);
  }

  async function checkTable(table: string): Promise<void> {
    for (let after: number | null = 0; after !== null; ) {
      const from: number = after;
      const began = performance.now();
      const { rows, next } = await untilAnswered(() => link.ask(['checkRange', table, from]));
      onRange?.(rows);
      after = next;
      await delay((performance.now() - began) * pausePart, undefined, { signal });
    }
  }

  async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (link.damage !== null) throw error;
        await delay(retryMs, undefined, { signal });
      }
    }
  }

  // It ends early when it is stopped, or has found damage, which the link has told.
  checkAll().catch(() => undefined);
  return { [Symbol.dispose]: () => stopping.abort() };
}
