import { keyOfText, keyText, type Message, type MessageKey } from '../../message.ts';
import { createWatchers, type OnPush, type Watchers } from '../watchers.ts';

/** A message as one moment has it. */
export interface MessageState extends MessageKey {
  /** The number of its last change; of one that is not there, that of a change of its business by which it was gone. */
  readonly asOf: number;
  /** Null: there is no such message. Another than before: it was deleted and has begun anew. */
  readonly number: number | null;
  /** Null as well. */
  readonly message: Message | null;
}

/** What this node has done to a message. */
export interface Change extends MessageKey {
  readonly change: number;
  /** Undefined: it is not known here. */
  readonly state?: MessageState | undefined;
}

/** What the watches of a message were told last. */
export interface Told {
  /** As of which change. */
  asOf: number;
  /** Null: nothing yet, or that it is gone. */
  number: number | null;
}

export interface WatchedBusiness {
  /** By the id of the message. */
  readonly told: Map<string, Told>;
  /** Up to which change all that is watched was read, and which was the last deletion by then; null before the first poll. */
  position: Position | null;
}

export interface Position {
  readonly change: number;
  readonly deletion: number;
}

/**
 * What this node watches, by business. States come in any order, from reads and from writes: the change numbers tell which
 * is the later.
 */
export interface Watched {
  readonly watchers: Watchers;
  readonly businesses: ReadonlyMap<string, WatchedBusiness>;
  /** To be called after `watchers.open`; what is told last of a message that nobody watches any more is dropped. */
  add(key: MessageKey): Told;
  /** Hands on a state, unless it is older than what was told. */
  settle(state: MessageState): void;
  /** The numbers begin anew: everything is to be read again. */
  reset(): void;
}

export function createWatched(onPush: OnPush | undefined): Watched {
  const businesses = new Map<string, WatchedBusiness>();
  const watchers = createWatchers(onPush, remove);

  function add({ business, id }: MessageKey): Told {
    const watched = businesses.get(business) ?? { told: new Map(), position: null };
    businesses.set(business, watched);
    const told = watched.told.get(id) ?? { asOf: 0, number: null };
    watched.told.set(id, told);
    return told;
  }

  function remove(key: string): void {
    const { business, id } = keyOfText(key);
    const watched = businesses.get(business);
    watched?.told.delete(id);
    if (watched?.told.size === 0) businesses.delete(business);
  }

  function settle(state: MessageState): void {
    const told = businesses.get(state.business)?.told.get(state.id);
    if (!told || state.asOf < told.asOf) return;
    const isAnother = told.number !== null && told.number !== state.number;
    told.asOf = state.asOf;
    told.number = state.number;
    if (isAnother) watchers.forget(keyText(state));
    if (state.message) watchers.tell(state.message);
  }

  return {
    watchers,
    businesses,
    add,
    settle,
    reset: () => {
      for (const [business, { told }] of businesses) {
        for (const each of told.values()) each.asOf = 0;
        // Another object: what is being read still moves the former on.
        businesses.set(business, { told, position: null });
      }
    },
  };
}
