import { keyOfText } from '../message.ts';
import type { OnStoreEvent, StoreEvent } from '../store-event.ts';
import type { StoreLog } from './log.ts';
import type { EvictedCallback } from './port.ts';

export interface LossReporterOptions {
  readonly log?: StoreLog | undefined;
  readonly onEvent?: OnStoreEvent | undefined;
  readonly now?: () => number;
}

/** At a limit each callback may cost an old one: of messages that is one line a minute for each business. */
const quietMs = 60_000;

/**
 * Tells the operator what was given up for a limit. Of each callback that left the quarantine its time, size and reason
 * remain in the log.
 */
export function createLossReporter({ log, onEvent, now = Date.now }: LossReporterOptions) {
  const toldAt = new Map<string, number>();

  function count(event: StoreEvent, many: number): void {
    if (many > 0) onEvent?.(event, many);
  }

  function tellOfEvicted({ business, id, bytes, reason, receivedAt }: EvictedCallback): void {
    const details = { business, id, bytes, reason, receivedAt: new Date(receivedAt).toISOString() };
    log?.warn(details, 'The quarantine is full. Its oldest callback was deleted.');
  }

  function tellOnce(keys: readonly string[], sentence: string): void {
    for (const business of new Set(keys.map((key) => keyOfText(key).business))) {
      const topic = `${sentence}/${business}`;
      if (now() - (toldAt.get(topic) ?? Number.NEGATIVE_INFINITY) < quietMs) continue;
      toldAt.set(topic, now());
      log?.warn({ business }, sentence);
    }
  }

  return ({ evicted, dropped, refused }: Losses): void => {
    for (const callback of evicted) tellOfEvicted(callback);
    tellOnce(
      dropped,
      'There are too many messages that only callbacks have told of (STORE_CALLBACK_ONLY_MESSAGES). The oldest are dropped.',
    );
    tellOnce(
      refused,
      'There are too many messages that only callbacks have told of (STORE_CALLBACK_ONLY_MESSAGES), and none is older than a day. Callbacks of new ones are answered 503.',
    );
    count('quarantineEvicted', evicted.length);
    count('callbackOnlyDropped', dropped.length);
    count('callbackOnlyRefused', refused.length);
  };
}

/** What was given up for a limit. */
export interface Losses {
  /** New messages that there is no room for, by `keyText`. */
  readonly refused: readonly string[];
  /** Messages that were dropped to make room, by `keyText`. */
  readonly dropped: readonly string[];
  /** Callbacks that left the quarantine to make room. */
  readonly evicted: readonly EvictedCallback[];
}
