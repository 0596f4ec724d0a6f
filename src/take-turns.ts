/** Runs works one after the other, in the order of the calls, whether or not those before have failed. */
export type TakeTurns = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurns(): TakeTurns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
}
