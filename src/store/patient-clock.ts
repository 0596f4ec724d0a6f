/**
 * Milliseconds in which this thread could hear an answer. While it is held up, by ten thousand sockets that come back at
 * once, an answer that is there is not heard: whoever counted that time would give up what has been served.
 */
export interface PatientClock {
  /** As of the last tick. */
  readonly now: number;
  /** Has it tick, every 50 ms, until a tick says that nobody waits. */
  start(): void;
  stop(): void;
}

const tickMs = 50;
/** The most that one tick counts for: what is longer was no waiting. */
const longestMs = 250;

/** @param tick is told the time, and returns whether anybody waits still. */
export function createPatientClock(tick: (now: number) => boolean): PatientClock {
  let now = 0;
  let last = 0;
  let timer: NodeJS.Timeout | undefined;

  function turn(): void {
    const at = performance.now();
    now += Math.min(at - last, longestMs);
    last = at;
    if (!tick(now)) stop();
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    get now() {
      return now;
    },
    start() {
      if (timer) return;
      last = performance.now();
      timer = setInterval(turn, tickMs);
    },
    stop,
  };
}
