import { GatewayError } from './errors.ts';
import type { Messaging } from './messaging.ts';

/** The same flow, which a shutdown can bring to an end without cutting anything off. */
export interface StoppableMessaging extends Messaging {
  readonly stopped: boolean;
  /** Refuses whatever writes from now on with SHUTTING_DOWN. What is under way goes on. */
  stop(): void;
  /** Resolves when nothing that writes is under way. Reads do not count: they can be repeated elsewhere. */
  idle(): Promise<void>;
}

export function stoppableMessaging(messaging: Messaging): StoppableMessaging {
  const running = new Set<Promise<unknown>>();
  let stopped = false;

  function track<T>(begin: () => Promise<T>): Promise<T> {
    if (stopped) return Promise.reject(new GatewayError('SHUTTING_DOWN', 'This gateway is shutting down.'));
    const work = begin();
    const settled: Promise<unknown> = work.then(forget, forget);
    function forget(): void {
      running.delete(settled);
    }
    running.add(settled);
    return work;
  }

  return {
    ...messaging,
    send: (...call) => track(() => messaging.send(...call)),
    receive: (...call) => track(() => messaging.receive(...call)),
    replayCallback: (...call) => track(() => messaging.replayCallback(...call)),
    deleteQuarantined: (...call) => track(() => messaging.deleteQuarantined(...call)),
    forget: (...call) => track(() => messaging.forget(...call)),
    get stopped() {
      return stopped;
    },
    stop() {
      stopped = true;
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
