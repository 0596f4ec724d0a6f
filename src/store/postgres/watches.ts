import { setTimeout as delay } from 'node:timers/promises';
import { keyText, type Message, type MessageKey } from '../../message.ts';
import { createPatience } from '../patience.ts';
import type { OnPush } from '../watchers.ts';
import { createChangeReader } from './change-reader.ts';
import type { Connections, Listener } from './connections.ts';
import type { Epoch } from './epoch.ts';
import { createPause } from './pause.ts';
import { createStateReader } from './state-reader.ts';
import { prepareWakeUps } from './wake-ups.ts';
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
   * To be called after each commit of this node, in their order, with what it has changed: the states that it knows are
   * told at once, and the others are read if they are watched. Other nodes are woken.
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

/** What the connections are to hear; the rest begins with them. */
export interface WatchesSetup {
  readonly listener: Listener;
  /** Everything that is watched is read again. */
  reset(): void;
  start(connections: WatchConnections, options: WatchesOptions): Watches;
}

export type WatchConnections = Pick<Connections, 'readAll' | 'write' | 'signal' | 'listen' | 'isListening'>;

/** Between two polls, if no wake-ups are heard. */
const deafPollMs = 200;
/** However often it is called for, the poll leaves the readers to others for so long. */
const leastPauseMs = 20;

export function prepareWatches(schema: string): WatchesSetup {
  const pause = createPause();
  let isReset = false;
  let woken: (changed: readonly MessageKey[]) => void = () => undefined;
  const wakeUpSetup = prepareWakeUps({ schema, woken: (keys) => woken(keys), missed: pause.end });

  function start(
    connections: WatchConnections,
    { epoch, onPush, patienceMs, pollMs = 1_000 }: WatchesOptions,
  ): Watches {
    const { readAll, write } = connections;
    const wakeUps = wakeUpSetup.start(connections);
    const watched = createWatched(onPush);
    const { watchers } = watched;
    const settle = (state: MessageState) => {
      epoch.saw(state.asOf);
      watched.settle(state);
    };
    // What is opened does not wait for thousands that are read again.
    const firstReads = createStateReader({ schema, readAll, settle });
    const rereads = createStateReader({ schema, readAll, settle });
    const changes = createChangeReader({ schema, readAll, watched, readStates: rereads.read });
    const patience = createPatience({ patienceMs });
    /** The last change that this node has seen to be committed. If it is missing, so are others. */
    let witness: { readonly business: string; readonly change: number } | null = null;
    let isClosed = false;
    const closing = new AbortController();

    woken = (keys) => {
      // What fails is found by the poll.
      firstReads.read(keys.filter((key) => watchers.has(keyText(key)))).catch(() => undefined);
    };

    async function poll(): Promise<void> {
      if (isReset) watched.reset();
      if (isReset) witness = null;
      isReset = false;
      const expected = witness;
      const businesses = new Set(watched.businesses.keys());
      if (expected) businesses.add(expected.business);
      const { epoch: row, marks } = await changes.readMarks([...businesses]);
      const mark = marks.find(({ business }) => business === expected?.business);
      const isBehind = mark !== undefined && expected !== null && mark.change < expected.change;
      await epoch.compare(row, isBehind, write);
      if (isReset) return pause.end();
      for (const { change } of marks) epoch.saw(change);
      await changes.catchUp(marks);
    }

    async function keepPolling(): Promise<void> {
      while (!isClosed) {
        await poll().catch(epoch.failed);
        if (isClosed) return;
        await delay(leastPauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
        await pause.wait(connections.isListening ? pollMs : deafPollMs);
      }
    }
    const polling = keepPolling();

    /** Listens first, then reads. */
    async function open(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined> | undefined> {
      const states = watchers.open(keyText(key));
      const told = watched.add(key);
      try {
        await patience.call(async () => {
          await wakeUps.subscribe(key.business);
          await firstReads.read([key]);
        });
        if (told.number !== null) return states;
      } catch (error) {
        await states.return?.();
        throw error;
      }
      await states.return?.();
      return undefined;
    }

    function changed(changes: readonly Change[]): void {
      for (const { business, change, state } of changes) {
        epoch.saw(change);
        if (change > (witness?.change ?? 0)) witness = { business, change };
        if (state) watched.settle(state);
      }
      // It was not watched yet when the transaction was made up.
      woken(changes.filter(({ state }) => !state));
      wakeUps.publish(changes);
    }

    return {
      open,
      has: watchers.has,
      get size() {
        return watchers.size;
      },
      changed,
      [Symbol.asyncDispose]: async () => {
        isClosed = true;
        closing.abort();
        pause.end();
        watchers.close();
        await patience.close();
        await wakeUps[Symbol.asyncDispose]();
        await polling;
      },
    };
  }

  return {
    listener: wakeUpSetup.listener,
    reset: () => {
      isReset = true;
      pause.end();
    },
    start,
  };
}
