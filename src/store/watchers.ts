import { isFinal, keyText, type Message, revisionOf } from '../message.ts';

/** The open watches of one process, by `keyText` of the message. It holds no truth: an adapter tells it what it has read. */
export interface Watchers {
  /** How many watches are open. */
  readonly size: number;

  /** Whether anybody watches this message. */
  has(key: string): boolean;

  /** The watched keys, each once. */
  keys(): string[];

  /** Opens a watch, which yields what `tell` brings from now on, with the promises of `Store.watch`. */
  open(key: string): AsyncIterableIterator<Message, undefined>;

  /** Hands a state to those who watch the message. A state that is not newer than the last one does nothing. */
  tell(message: Message): void;

  /**
   * The message was deleted: ends its watches, since one that comes back by this key begins again at a revision they
   * have passed. A watch that has heard nothing yet goes on: what it is about to read is what is there now.
   */
  forget(key: string): void;

  /** Ends every watch, and every later one as soon as it is opened. */
  close(): void;
}

/** Called with each state that is handed to a watch, but for the first, which was there before it. */
export type OnPush = (message: Message) => void;

/** Called with the key of a message when its last watch has ended. */
export type OnIdle = (key: string) => void;

export function createWatchers(onPush: OnPush = () => undefined, onIdle: OnIdle = () => undefined): Watchers {
  // Most messages have one watch, which then stands for itself: a set for each would be half of what an idle one costs.
  const watches = new Map<string, Watch | Set<Watch>>();
  let size = 0;
  let closed = false;

  function open(key: string): Watch {
    const watch = new Watch(key, remove, onPush);
    const others = watches.get(key);
    if (others instanceof Set) others.add(watch);
    else watches.set(key, others ? new Set([others, watch]) : watch);
    size += 1;
    if (closed) watch.end();
    return watch;
  }

  function remove(watch: Watch): void {
    const all = watches.get(watch.key);
    if (all === watch) watches.delete(watch.key);
    if (all instanceof Set && all.delete(watch) && all.size === 0) watches.delete(watch.key);
    size -= 1;
    if (!watches.has(watch.key)) onIdle(watch.key);
  }

  function watchesOf(key: string): Iterable<Watch> {
    const all = watches.get(key);
    if (!all) return [];
    return all instanceof Set ? all : [all];
  }

  return {
    get size() {
      return size;
    },
    has: (key) => watches.has(key),
    keys: () => [...watches.keys()],
    open,
    tell: (message) => {
      for (const watch of watchesOf(keyText(message))) watch.tell(message);
    },
    forget: (key) => {
      for (const watch of watchesOf(key)) watch.forget();
    },
    close: () => {
      closed = true;
      for (const key of [...watches.keys()]) for (const watch of watchesOf(key)) watch.end();
    },
  };
}

type Reader = (result: IteratorResult<Message, undefined>) => void;

/**
 * A mailbox with one slot. It is an iterator by hand, because `return()` of an async generator would queue behind
 * the `next()` that waits. It keeps no message that was read, and is a class, whose methods are not made anew for each:
 * there is one for each idle subscription.
 */
class Watch implements AsyncIterableIterator<Message, undefined> {
  readonly key: string;
  readonly #onEnd: (watch: Watch) => void;
  readonly #onPush: OnPush;
  #slot: Message | undefined = undefined;
  #revision = 0;
  #ended = false;
  #readers: Reader[] | undefined = undefined;

  constructor(key: string, onEnd: (watch: Watch) => void, onPush: OnPush) {
    this.key = key;
    this.#onEnd = onEnd;
    this.#onPush = onPush;
  }

  tell(message: Message): void {
    const revision = revisionOf(message);
    if (this.#ended || revision <= this.#revision) return;
    if (this.#revision > 0) this.#onPush(message);
    this.#revision = revision;
    this.#slot = message;
    this.#readers?.shift()?.(this.#take(message));
    if (this.#readers?.length === 0) this.#readers = undefined;
  }

  forget(): void {
    if (this.#revision > 0) this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#slot = undefined;
    this.#onEnd(this);
    for (const read of this.#readers?.splice(0) ?? []) read({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    if (this.#slot) return Promise.resolve(this.#take(this.#slot));
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      if (this.#readers) this.#readers.push(resolve);
      else this.#readers = [resolve];
    });
  }

  return(): Promise<IteratorResult<Message, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(message: Message): IteratorYieldResult<Message> {
    this.#slot = undefined;
    if (isFinal(message)) this.end();
    return { done: false, value: message };
  }
}
