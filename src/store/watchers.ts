import { isFinal, keyText, type Message, revisionOf } from '../message.ts';
import { createYieldingQueue, type YieldingQueue } from '../yielding-queue.ts';

/** The open watches of one process, by `keyText` of the message. It holds no truth: an adapter tells it what it has read. */
export interface Watchers {
  /** How many watches are open. */
  readonly size: number;

  /** Whether anybody watches this message. */
  has(key: string): boolean;

  /** The watched keys, each once. */
  keys(): string[];

  /** Opens a watch, which yields what `tell` brings from now on, with the promises of `Store.watch`. */
  open(key: string): OpenWatch;

  /**
   * Hands a state to those who watch the message. A state that is not newer than the last one does nothing. At most
   * `pushesPerTurn` watches are served in one turn of the event loop; a watch whose turn comes later gets the latest
   * state by then.
   */
  tell(message: Message): void;

  /**
   * The message was deleted: ends its watches, since one that comes back by this key begins again at a revision they
   * have passed. A watch that has heard nothing yet goes on: what it is about to read is what is there now.
   */
  forget(key: string): void;

  /** Ends every watch, and every later one as soon as it is opened. */
  close(): void;
}

export interface OpenWatch extends AsyncIterableIterator<Message, undefined> {
  /** Hands a state to this watch alone. */
  tell(message: Message): void;
}

/** Called with each state that is handed to a watch, but for the first, which was there before it. */
export type OnPush = (message: Message) => void;

/** Called with the key of a message when its last watch has ended. */
export type OnIdle = (key: string) => void;

/** A push takes up to 60 µs of CPU with its GraphQL execution, so a turn with nothing but pushes takes about 6 ms. */
export const pushesPerTurn = 100;

export function createWatchers(onPush: OnPush = () => undefined, onIdle: OnIdle = () => undefined): Watchers {
  // Most messages have one watch, which then stands for itself: a set for each would be half of what an idle one costs.
  const watches = new Map<string, Watch | Audience>();
  const shared: Shared = { queue: createYieldingQueue(pushesPerTurn), onPush, onEnd: remove };
  let size = 0;
  let closed = false;

  function open(key: string): Watch {
    const watch = new Watch(key, shared);
    const others = watches.get(key);
    if (others instanceof Audience) others.watches.add(watch);
    else watches.set(key, others ? new Audience([others, watch], shared.queue) : watch);
    size += 1;
    if (closed) watch.end();
    return watch;
  }

  function remove(watch: Watch): void {
    const all = watches.get(watch.key);
    if (all === watch) watches.delete(watch.key);
    if (all instanceof Audience && all.watches.delete(watch) && all.watches.size === 0) {
      watches.delete(watch.key);
    }
    size -= 1;
    if (!watches.has(watch.key)) onIdle(watch.key);
  }

  return {
    get size() {
      return size;
    },
    has: (key) => watches.has(key),
    keys: () => [...watches.keys()],
    open,
    tell: (message) => watches.get(keyText(message))?.tell(message),
    forget: (key) => watches.get(key)?.forget(),
    close: () => {
      closed = true;
      for (const all of [...watches.values()]) all.end();
    },
  };
}

/** Several watches of one message: a state goes from one to the next, so that telling a thousand is no long task. */
class Audience {
  readonly watches: Set<Watch>;
  readonly #queue: YieldingQueue;
  /** The state on its way, and those that it has not reached. New watches are among them. */
  #state: Message | undefined = undefined;
  #left: Iterator<Watch> | undefined = undefined;
  #queued = false;

  constructor(watches: Iterable<Watch>, queue: YieldingQueue) {
    this.watches = new Set(watches);
    this.#queue = queue;
  }

  tell(message: Message): void {
    if (this.#state && revisionOf(message) <= revisionOf(this.#state)) return;
    this.#state = message;
    this.#left = this.watches.values();
    this.#goOn();
  }

  forget(): void {
    this.#state = undefined;
    this.#left = undefined;
    for (const watch of this.watches) watch.forget();
  }

  end(): void {
    for (const watch of this.watches) watch.end();
  }

  #goOn(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.#queue.run(() => this.#tellNext());
  }

  #tellNext(): void {
    this.#queued = false;
    const watch: Watch | undefined = this.#left?.next().value;
    if (watch && this.#state) {
      watch.put(this.#state);
      watch.deliver();
      this.#goOn();
    } else {
      this.#state = undefined;
      this.#left = undefined;
    }
  }
}

/** What all watches have in common. */
interface Shared {
  readonly queue: YieldingQueue;
  readonly onPush: OnPush;
  readonly onEnd: (watch: Watch) => void;
}

type Reader = (result: IteratorResult<Message, undefined>) => void;

/**
 * A mailbox with one slot. It is an iterator by hand, because `return()` of an async generator would queue behind
 * the `next()` that waits. It keeps no message that was read, and is a class, whose methods are not made anew for each:
 * there is one for each idle subscription.
 */
class Watch implements OpenWatch {
  readonly key: string;
  readonly #shared: Shared;
  #slot: Message | undefined = undefined;
  /** Whether what is in the slot came after the watch was open. */
  #isNews = false;
  #revision = 0;
  #ended = false;
  #readers: Reader[] | undefined = undefined;
  #queued = false;

  constructor(key: string, shared: Shared) {
    this.key = key;
    this.#shared = shared;
  }

  tell(message: Message): void {
    this.put(message);
    if (this.#readers) this.#deliverSoon();
  }

  /** Puts a state in the slot, unless it is not newer than the last one. */
  put(message: Message): void {
    const revision = revisionOf(message);
    if (this.#ended || revision <= this.#revision) return;
    this.#isNews = this.#revision > 0;
    this.#revision = revision;
    this.#slot = message;
  }

  /** Hands what is in the slot to the first reader, and the end to all. */
  deliver(): void {
    this.#queued = false;
    if (this.#slot) this.#readers?.shift()?.(this.#take(this.#slot));
    if (this.#ended)
      for (const read of this.#readers?.splice(0) ?? []) read({ done: true, value: undefined });
    if (this.#readers?.length === 0) this.#readers = undefined;
  }

  forget(): void {
    if (this.#revision > 0) this.end();
  }

  /** A state that is on its way to a reader still reaches it. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#readers) this.#slot = undefined;
    this.#shared.onEnd(this);
    if (this.#readers) this.#deliverSoon();
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    if (this.#ended && !this.#slot) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      if (this.#readers) this.#readers.push(resolve);
      else this.#readers = [resolve];
      if (this.#slot) this.#deliverSoon();
    });
  }

  return(): Promise<IteratorResult<Message, undefined>> {
    this.#slot = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #deliverSoon(): void {
    if (this.#queued) return;
    this.#queued = true;
    this.#shared.queue.run(() => this.deliver());
  }

  #take(message: Message): IteratorYieldResult<Message> {
    this.#slot = undefined;
    if (this.#isNews) this.#shared.onPush(message);
    if (isFinal(message)) this.end();
    return { done: false, value: message };
  }
}
