import PQueue from 'p-queue';
import { GatewayError } from '../errors.ts';

/** Lets so many calls run at once, and so many begin in a second; the next ones wait in a line of bounded length. */
export interface CallQueue {
  readonly running: number;
  readonly waiting: number;

  /**
   * Makes a call when its turn comes, first come, first served.
   *
   * @param waitMs how long it may wait for its turn, in milliseconds; a call that runs is left alone.
   * @throws GatewayError PINGUP_UNAVAILABLE at once where too many wait, and where its turn has not come in time: the
   * call was not made, and nothing of it is kept. Otherwise what the call throws.
   */
  run(call: () => Promise<string>, waitMs: number): Promise<string>;

  /** Ends the wait of all who wait now, with this error. */
  turnAway(error: GatewayError): void;
}

export interface CallQueueOptions {
  /** Calls that run at once. */
  readonly concurrency: number;
  readonly maxWaiting: number;
  /** Calls that begin within any second; null: unlimited. */
  readonly perSecond: number | null;
}

/**
 * The second in which calls are counted, in milliseconds, with a twentieth to spare: p-queue counts a call a moment before
 * it begins, and no two take equally long to reach Pingup.
 */
const secondMs = 1_050;

export function createCallQueue({ concurrency, maxWaiting, perSecond }: CallQueueOptions): CallQueue {
  const queue = new PQueue({
    concurrency,
    ...(perSecond !== null && { intervalCap: perSecond, interval: secondMs, strict: true }),
  });
  const tickets = new Set<AbortController>();

  async function run(call: () => Promise<string>, waitMs: number): Promise<string> {
    // A signal costs several times what all the rest of this does.
    if (perSecond === null && queue.size === 0 && queue.pending < concurrency) return queue.add(call);
    if (queue.size >= maxWaiting) throw busy('Too many sends wait for Pingup');
    return wait(call, waitMs);
  }

  async function wait(call: () => Promise<string>, waitMs: number): Promise<string> {
    const ticket = new AbortController();
    const tooLate = () => ticket.abort(busy('Other sends to Pingup took all the time that this one had'));
    const timer = setTimeout(tooLate, waitMs);
    tickets.add(ticket);

    function leave(): void {
      clearTimeout(timer);
      tickets.delete(ticket);
    }
    function begin(): Promise<string> {
      leave();
      return call();
    }
    return queue.add(begin, { signal: ticket.signal }).finally(leave);
  }

  return {
    get running() {
      return queue.pending;
    },
    get waiting() {
      return queue.size;
    },
    run,
    turnAway(error) {
      for (const ticket of tickets) ticket.abort(error);
    },
  };
}

function busy(what: string): GatewayError {
  return new GatewayError('PINGUP_UNAVAILABLE', `${what}; nothing was sent.`, { retryAfterSeconds: 1 });
}
