/** Runs tasks in their order and yields to the event loop between them, so that a burst of tasks does not block it. */
export interface YieldingQueue {
  /** Runs the task at once or, when this turn of the event loop has run its share, in a later one. It must not throw. */
  run(task: () => void): void;
}

/** @param tasksPerTurn how many tasks one turn of the event loop runs. */
export function createYieldingQueue(tasksPerTurn: number): YieldingQueue {
  let queued: (() => void)[] = [];
  let first = 0;
  let left = tasksPerTurn;
  let renewing = false;

  function renewSoon(): void {
    if (!renewing) setImmediate(renew);
    renewing = true;
  }

  function renew(): void {
    renewing = false;
    left = tasksPerTurn;
    while (left > 0 && first < queued.length) runNext();
    if (first * 2 >= queued.length) forgetRun();
    if (left < tasksPerTurn) renewSoon();
  }

  /** Half of the time only: a long queue is not copied in each turn. */
  function forgetRun(): void {
    queued = queued.slice(first);
    first = 0;
  }

  function runNext(): void {
    const task = queued[first];
    first += 1;
    left -= 1;
    task?.();
  }

  return {
    run(task) {
      if (left === 0 || first < queued.length) {
        queued.push(task);
      } else {
        left -= 1;
        task();
      }
      renewSoon();
    },
  };
}
