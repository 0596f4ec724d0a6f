import { isFinal, type Message, revisionOf } from '../message.ts';

/** The open watches of one process, by message id. It holds no truth: an adapter tells it what it has read. */
export interface Watchers {
  /** How many watches are open. */
  readonly size: number;

  /** Whether anybody watches this message. */
  has(id: string): boolean;

  /** The watched ids, each once. */
  ids(): string[];

  /** Opens a watch, which yields what `tell` brings from now on, with the promises of `Store.watch`. */
  open(id: string): AsyncIterableIterator<Message, undefined>;

  /** Hands a state to those who watch the message. A state that is not newer than the last one does nothing. */
  tell(message: Message): void;

  /** Ends every watch, and every later one as soon as it is opened. */
  close(): void;
}

interface Watch extends AsyncIterableIterator<Message, undefined> {
  tell(message: Message): void;
  end(): void;
}

export function createWatchers(): Watchers {
  const watches = new Map<string, Set<Watch>>();
  let size = 0;
  let closed = false;

  function open(id: string): Watch {
    const watch = createWatch(() => remove(id, watch));
    const others = watches.get(id);
    if (others) others.add(watch);
    else watches.set(id, new Set([watch]));
    size += 1;
    if (closed) watch.end();
    return watch;
  }

  function remove(id: string, watch: Watch): void {
    const all = watches.get(id);
    if (!all?.delete(watch)) return;
    size -= 1;
    if (all.size === 0) watches.delete(id);
  }

  return {
    get size() {
      return size;
    },
    has: (id) => watches.has(id),
    ids: () => [...watches.keys()],
    open,
    tell: (message) => {
      for (const watch of watches.get(message.id) ?? []) watch.tell(message);
    },
    close: () => {
      closed = true;
      for (const all of watches.values()) for (const watch of all) watch.end();
    },
  };
}

type Reader = (result: IteratorResult<Message, undefined>) => void;

/**
 * A mailbox with one slot. It is an iterator by hand, because `return()` of an async generator would queue behind
 * the `next()` that waits. It keeps no message that was read, so an idle watch is small.
 */
function createWatch(onEnd: () => void): Watch {
  let slot: Message | undefined;
  let revision = 0;
  let ended = false;
  const readers: Reader[] = [];

  function tell(message: Message): void {
    if (ended || revisionOf(message) <= revision) return;
    revision = revisionOf(message);
    slot = message;
    readers.shift()?.(take(message));
  }

  function take(message: Message): IteratorYieldResult<Message> {
    slot = undefined;
    if (isFinal(message)) end();
    return { done: false, value: message };
  }

  function end(): void {
    if (ended) return;
    ended = true;
    slot = undefined;
    onEnd();
    for (const read of readers.splice(0)) read({ done: true, value: undefined });
  }

  const watch: Watch = {
    tell,
    end,
    next: () => {
      if (slot) return Promise.resolve(take(slot));
      if (ended) return Promise.resolve({ done: true, value: undefined });
      return new Promise((resolve) => readers.push(resolve));
    },
    return: () => {
      end();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => watch,
  };
  return watch;
}
