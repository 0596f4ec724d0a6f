import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, execute } from 'graphql';

/** Has to be taken before something large is computed for a socket; one at a time has it. */
export interface Floor {
  /** True once it is the caller's, who gives it back by `leaveFloor`; false: the socket is closed. */
  takeFloor(): boolean | Promise<boolean>;
  leaveFloor(): void;
}

/** As graphql-js's `subscribe`, but the results can be told to wait for a socket. */
export async function subscribeByTurns(args: ExecutionArgs): Promise<SubscriptionResults | ExecutionResult> {
  const source = await createSourceEventStream(args);
  return Symbol.asyncIterator in source ? new SubscriptionResults(source, args) : source;
}

/**
 * The results of a subscription. A state is executed only once the floor is free, and keeps it until the next is asked
 * for, by when its result has left: so each subscription of a slow reader holds states, of which there are at most two
 * (one in hand, and the latest), and not their answers.
 *
 * An iterator by hand, because `return()` of an async generator would queue behind the `next()` that waits.
 */
export class SubscriptionResults implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #source: AsyncIterator<unknown>;
  readonly #args: ExecutionArgs;
  #floor: Floor | undefined = undefined;
  #hasFloor = false;
  #ended = false;

  constructor(source: AsyncIterable<unknown>, args: ExecutionArgs) {
    this.#source = source[Symbol.asyncIterator]();
    this.#args = args;
  }

  /** From now on, whoever has the floor is the one to be executed. */
  waitFor(floor: Floor): void {
    this.#floor = floor;
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#leaveFloor();
    const event = await this.#source.next();
    if (event.done || !(await this.#takeFloor())) return this.return();
    try {
      const value = await execute({ ...this.#args, rootValue: event.value });
      return { done: false, value };
    } catch (error) {
      this.#leaveFloor();
      throw error;
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#ended = true;
    this.#leaveFloor();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** False also when the subscription has ended meanwhile. */
  async #takeFloor(): Promise<boolean> {
    if (!this.#floor) return !this.#ended;
    this.#hasFloor = await this.#floor.takeFloor();
    if (this.#ended) this.#leaveFloor();
    return this.#hasFloor;
  }

  #leaveFloor(): void {
    if (!this.#hasFloor) return;
    this.#hasFloor = false;
    this.#floor?.leaveFloor();
  }
}
