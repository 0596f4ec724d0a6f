import { keyText, type Message, type MessageKey } from '../../message.ts';
import type { Store } from '../port.ts';
import type { Watchers } from '../watchers.ts';
import type { Merged } from './merge.ts';
import type { Queue } from './queue.ts';

export interface Watching extends Pick<Store, 'watch'> {
  /** This node has merged a message. */
  merged(message: Message, result: Merged): void;
  /** This node has deleted messages, by `keyText`. */
  deleted(keys: readonly string[]): void;
}

export interface WatchingOptions {
  readonly watchers: Watchers;
  readonly queue: Queue;
  readonly find: Store['find'];
}

/** Watches of what this node writes. */
export function createWatching({ watchers, queue, find }: WatchingOptions): Watching {
  /** The state is read anew, whoever wrote it. */
  function wake(key: MessageKey): void {
    if (!watchers.has(keyText(key))) return;
    find(key).then(
      (found) => found && watchers.tell(found),
      () => wake(key),
    );
  }

  /** What this node has written before may be on its way still. */
  async function findLater(key: MessageKey): Promise<Message | undefined> {
    if (queue.pending === 0) return undefined;
    await queue.settled();
    return find(key);
  }

  return {
    /** Listens first, then reads. */
    watch: async (key) => {
      const states = watchers.open(keyText(key));
      try {
        const found = (await find(key)) ?? (await findLater(key));
        if (found) {
          watchers.tell(found);
          return states;
        }
      } catch (error) {
        await states.return?.();
        throw error;
      }
      await states.return?.();
      return undefined;
    },
    merged: (key, { message, outcome }) => {
      if (message) watchers.tell(message);
      else if (outcome === 'changed') wake(key);
    },
    deleted: (keys) => {
      for (const key of keys) watchers.forget(key);
    },
  };
}
