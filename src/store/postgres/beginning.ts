import { randomBytes } from 'node:crypto';
import { persist } from '../../persist.ts';
import type { Store } from '../port.ts';
import type { Kinds } from './kinds.ts';
import type { Queue } from './queue.ts';

/** How long giving a key back is tried. */
const giveBackMs = 60_000;

/** A begin that was rejected lets nothing leave, so if it happened after all, its key is given back. */
export function createBegin(queue: Queue, kinds: Pick<Kinds, 'begin' | 'cancel'>): Store['begin'] {
  const node = randomBytes(6).toString('base64url');
  let count = 0;

  return async (send) => {
    count += 1;
    const token = `${node}${count}`;
    try {
      return await queue.ask(kinds.begin, { ...send, token });
    } catch (error) {
      const { business, at } = send;
      const giveBack = () => queue.ask(kinds.cancel, { business, token, begunAt: at, at });
      persist(giveBack, giveBackMs).catch(() => undefined);
      throw error;
    }
  };
}
