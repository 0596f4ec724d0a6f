import { randomBytes } from 'node:crypto';
import { persist } from '../../persist.ts';
import type { Idempotency, NewSend } from '../../send.ts';
import type { Store } from '../port.ts';
import { changedNothing } from './error.ts';
import type { Kinds } from './kinds.ts';
import type { Queue } from './queue.ts';

/** How long giving a key back is tried. */
const giveBackMs = 60_000;

/**
 * A begin that was rejected lets nothing leave, so if it happened after all, or may have, its key is given back.
 *
 * @param holdKey keeps keys from expiring while the clock is not trusted.
 */
export function createBegin(
  queue: Queue,
  kinds: Pick<Kinds, 'begin' | 'cancel'>,
  holdKey: (idempotency: Idempotency) => Idempotency,
): Store['begin'] {
  const node = randomBytes(6).toString('base64url');
  let count = 0;

  function giveBack({ business, at }: NewSend, token: string): void {
    const cancel = () => queue.ask(kinds.cancel, { business, token, begunAt: at, at });
    persist(cancel, giveBackMs).catch(() => undefined);
  }

  return async (send) => {
    count += 1;
    const token = `${node}${count}`;
    let isGivenUp = false;
    try {
      return await queue.ask(
        kinds.begin,
        { ...send, idempotency: send.idempotency && holdKey(send.idempotency), token },
        ({ kind }) => isGivenUp && kind === 'begun' && giveBack(send, token),
        (error) => changedNothing(error) || giveBack(send, token),
      );
    } catch (error) {
      isGivenUp = true;
      throw error;
    }
  };
}
