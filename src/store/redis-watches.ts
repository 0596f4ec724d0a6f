import { keyOfText, keyText, type Message, type MessageKey, revisionOf } from '../message.ts';
import type { Fleet } from './redis-fleet.ts';
import { placeOfMessage } from './redis-keys.ts';
import type { KeptMessage } from './redis-message-record.ts';
import { createRereader } from './redis-rereader.ts';
import type { Wakes } from './redis-wakes.ts';
import { shareInTurn } from './share-in-turn.ts';
import { createWatchers, type OnPush } from './watchers.ts';

/**
 * The watches of this node. A wake-up only says that there is something to read; whoever may have missed one reads
 * again: after a connection was lost, after a slot has moved, and now and then without any sign.
 */
export interface Watches extends Disposable {
  readonly size: number;
  has(message: Message): boolean;
  open(key: MessageKey, until: number): Promise<AsyncIterableIterator<Message, undefined> | undefined>;
  /** Hands on what was read or written. */
  tell(kept: KeptMessage): void;
  /** A message was deleted. */
  forget(key: MessageKey): void;
  /** A wake-up came. */
  heard(message: string, channel: string): void;
  /** These channels were not heard for a while. */
  again(channels: readonly string[]): void;
  moved(partition: number, from: Wakes, to: Wakes): void;
}

export interface WatchesOptions {
  readonly fleet: Fleet;
  readonly find: (key: MessageKey, until: number) => Promise<KeptMessage | undefined>;
  readonly onPush: OnPush | undefined;
  /** How often all that is watched is read without any sign, in milliseconds: from two thirds of it to four thirds. */
  readonly positionCheckMs: number;
}

/** What was last told of a watched message. */
interface Told {
  readonly key: MessageKey;
  readonly partition: number;
  /** Empty before anything was. */
  stamp: string;
  revision: number;
}

const readMs = 1_800;

export function createWatches({ fleet, find, onPush, positionCheckMs }: WatchesOptions): Watches {
  const told = new Map<string, Told>();
  const watchers = createWatchers(onPush, leave);
  const rereader = createRereader(async (channel) => {
    const entry = told.get(channel);
    if (entry) settle(entry, await find(entry.key, performance.now() + readMs));
  });
  // Thousands may begin to watch one message together: it is read, and each is told, once.
  const readNow = shareInTurn(async (key: MessageKey, until) => {
    const kept = await find(key, until);
    if (kept) tell(kept);
    return kept !== undefined;
  }, keyText);
  let positionTimer = setTimeout(checkPositions, nextCheck());

  function nextCheck(): number {
    return positionCheckMs * (2 / 3 + (Math.random() * 2) / 3);
  }

  function checkPositions(): void {
    const batches = Math.max(told.size / 1_000, 1);
    // Spread over a third of the time until the next.
    rereader.readMany([...told.keys()], positionCheckMs / 3 / batches);
    fleet.refreshSoon();
    positionTimer = setTimeout(checkPositions, nextCheck());
  }

  function enter(key: MessageKey): Promise<void> {
    const { partition, key: channel } = placeOfMessage(key);
    if (!told.has(channel)) told.set(channel, { key, partition, stamp: '', revision: 0 });
    return fleet.wakesOf(partition).add(channel, partition);
  }

  function leave(text: string): void {
    const { partition, key: channel } = placeOfMessage(keyOfText(text));
    told.delete(channel);
    fleet.wakesOf(partition).remove(channel);
  }

  function settle(entry: Told, kept: KeptMessage | undefined): void {
    // It was deleted, and may have come back since.
    if (!kept || (entry.stamp !== '' && kept.stamp > entry.stamp)) letGo(entry);
    // What is older than what was told was read too early.
    if (!kept || kept.stamp < entry.stamp) return;
    entry.stamp = kept.stamp;
    entry.revision = revisionOf(kept.message);
    watchers.tell(kept.message);
  }

  function letGo(entry: Told): void {
    entry.stamp = '';
    entry.revision = 0;
    watchers.forget(keyText(entry.key));
  }

  /** Listens first, then reads. */
  async function open(
    key: MessageKey,
    until: number,
  ): Promise<AsyncIterableIterator<Message, undefined> | undefined> {
    const states = watchers.open(keyText(key));
    try {
      await enter(key);
      if (await readNow(key, until)) return states;
    } catch (error) {
      await states.return?.();
      throw error;
    }
    await states.return?.();
    return undefined;
  }

  function tell(kept: KeptMessage): void {
    const entry = told.get(placeOfMessage(kept.message).key);
    if (entry) settle(entry, kept);
  }

  return {
    get size() {
      return watchers.size;
    },
    has: (message) => watchers.has(keyText(message)),
    open,
    tell,
    forget: (key) => {
      const entry = told.get(placeOfMessage(key).key);
      if (entry) letGo(entry);
    },
    heard: (message, channel) => {
      const entry = told.get(channel);
      const [stamp, revision] = message.split(':');
      const isNews = entry && (stamp !== entry.stamp || !revision || Number(revision) > entry.revision);
      if (isNews) rereader.read(channel);
    },
    again: (channels) => void rereader.readMany(channels),
    moved: (partition, from, to) => {
      for (const [channel, entry] of told) {
        if (entry.partition !== partition) continue;
        from.remove(channel);
        to.add(channel, partition, true).catch(() => undefined);
      }
    },
    [Symbol.dispose]: () => {
      clearTimeout(positionTimer);
      rereader[Symbol.dispose]();
      watchers.close();
    },
  };
}
