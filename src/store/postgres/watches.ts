import { keyText, type Message, type MessageKey } from '../../message.ts';
import { createPatience } from '../patience.ts';
import type { OnPush } from '../watchers.ts';
import { createChangeReader } from './change-reader.ts';
import type { Connections, Listener } from './connections.ts';
import type { Epoch } from './epoch.ts';
import { createPause, type Pause } from './pause.ts';
import { createStateReader } from './state-reader.ts';
import { prepareWakeUps, type WakeUps } from './wake-ups.ts';
import { startWatchPoll } from './watch-poll.ts';
import { type Change, createWatched, type MessageState } from './watched.ts';

/**
 * The watches of this node. What it writes itself it knows; of what other nodes write it learns by wake-ups, and what those
 * miss a poll finds. States are told by their change numbers, so that none goes back, whichever way it comes.
 */
export interface Watches extends AsyncDisposable {
  /** As `Store.watch`. */
  open(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined> | undefined>;
  /** Whether anybody watches the message with this `keyText`. */
  has(key: string): boolean;
  readonly size: number;
  /**
   * To be called after each commit of this node, in their order, with what it has changed: states that are known are told at
   * once, and others are read if they are watched. Other nodes are woken.
   */
  changed(changes: readonly Change[]): void;
}

export interface WatchesOptions {
  readonly schema: string;
  readonly epoch: Epoch;
  readonly onPush?: OnPush | undefined;
  readonly patienceMs?: number | undefined;
  /** Between two polls, while wake-ups are heard. */
  readonly pollMs?: number | undefined;
}

/** What the connections are to hear, before there are any; the rest begins with them. */
export interface WatchesSetup {
  readonly listener: Listener;
  /** Another history goes on: everything that is watched is read again. */
  reset(): void;
  start(connections: WatchConnections, options: WatchesOptions): Watches;
}

export type WatchConnections = Pick<Connections, 'readAll' | 'write' | 'signal' | 'listen' | 'isListening'>;

/** Between two polls, if no wake-ups are heard. */
const deafPollMs = 200;

export function prepareWatches(schema: string): WatchesSetup {
  const pause = createPause();
  let isReset = false;
  let read: (changed: readonly MessageKey[]) => void = () => undefined;
  const wakeUps = prepareWakeUps({ schema, woken: (changed) => read(changed), missed: pause.end });

  function takeReset(): boolean {
    const taken = isReset;
    isReset = false;
    return taken;
  }

  return {
    listener: wakeUps.listener,
    reset: () => {
      isReset = true;
      pause.end();
    },
    start: (connections, options) => {
      const wiring = { wakeUps: wakeUps.start(connections), pause, takeReset };
      const { watches, woken } = startWatches(connections, options, wiring);
      read = woken;
      return watches;
    },
  };
}

interface Wiring {
  readonly wakeUps: WakeUps;
  readonly pause: Pause;
  readonly takeReset: () => boolean;
}

function startWatches(connections: WatchConnections, options: WatchesOptions, wiring: Wiring) {
  const { schema, epoch, patienceMs, pollMs = 1_000 } = options;
  const { readAll, write } = connections;
  const { wakeUps, pause, takeReset } = wiring;
  const watched = createWatched(options.onPush);
  const { watchers } = watched;
  const patience = createPatience({ patienceMs });
  // What is opened does not wait for thousands that are read again.
  const reader = createStateReader({ schema, readAll, settle });
  const rereader = createStateReader({ schema, readAll, settle });
  const changes = createChangeReader({ schema, readAll, watched, readStates: rereader.read });
  const intervalMs = () => (connections.isListening ? pollMs : deafPollMs);
  const poll = startWatchPoll({ epoch, watched, changes, write, pause, takeReset, intervalMs });

  function settle(state: MessageState): void {
    epoch.saw(state.asOf);
    watched.settle(state);
  }

  /** What fails is found by the poll. */
  function woken(keys: readonly MessageKey[]): void {
    const wanted = keys.filter((key) => watchers.has(keyText(key)));
    reader.read(wanted).catch(() => undefined);
  }

  /** Listens first, then reads. */
  async function open(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined> | undefined> {
    const states = watchers.open(keyText(key));
    const told = watched.add(key);
    try {
      await patience.call(async () => {
        await wakeUps.subscribe(key.business);
        await reader.read([key]);
      });
      if (told.number !== null) return states;
    } catch (error) {
      await states.return?.();
      throw error;
    }
    await states.return?.();
    return undefined;
  }

  function changed(all: readonly Change[]): void {
    for (const change of all) {
      epoch.saw(change.change);
      poll.saw(change);
      if (change.state) watched.settle(change.state);
    }
    // Of others it was not known to be watched when they were written.
    woken(all.filter(({ state }) => !state));
    wakeUps.publish(all);
  }

  const watches: Watches = {
    open,
    has: watchers.has,
    get size() {
      return watchers.size;
    },
    changed,
    [Symbol.asyncDispose]: async () => {
      watchers.close();
      await patience.close();
      await wakeUps[Symbol.asyncDispose]();
      await poll[Symbol.asyncDispose]();
    },
  };
  return { watches, woken };
}
