import { createMinuteLog } from '../log-once-a-minute.ts';
import { keyOfText } from '../message.ts';
import type { OnStoreEvent, StoreEvent } from '../store-event.ts';
import type { StoreLog } from './log.ts';
import type { EvictedCallback } from './port.ts';

export interface LossReporterOptions {
  readonly log?: StoreLog | undefined;
  readonly onEvent?: OnStoreEvent | undefined;
}

/**
 * Logs and counts what was given up for a limit. Of each callback that left the quarantine its time, size and reason
 * remain in the log. Messages are one line a minute for each business, since at a limit each callback may cost one.
 */
export function createLossReporter({ log, onEvent }: LossReporterOptions) {
  const logOnce = log && createMinuteLog(log);

  function count(event: StoreEvent, many: number): void {
    if (many > 0) onEvent?.(event, many);
  }

  function logEvicted({ business, id, bytes, reason, receivedAt }: EvictedCallback): void {
    const details = { business, id, bytes, reason, receivedAt: new Date(receivedAt).toISOString() };
    log?.warn(details, 'The quarantine is full. Its oldest callback was deleted.');
  }

  function logMessages(event: StoreEvent, keys: readonly string[], sentence: string): void {
    for (const business of new Set(keys.map((key) => keyOfText(key).business)))
      logOnce?.(`${event} ${business}`, { business }, sentence);
  }

  return ({ evicted, dropped, refused }: Losses): void => {
    for (const callback of evicted) logEvicted(callback);
    logMessages(
      'callbackOnlyDropped',
      dropped,
      'The business has as many messages known only from callbacks as STORE_CALLBACK_ONLY_MESSAGES allows. The oldest are deleted.',
    );
    logMessages(
      'callbackOnlyRefused',
      refused,
      'The business has as many messages known only from callbacks as STORE_CALLBACK_ONLY_MESSAGES allows, and none is older than a day. Callbacks of new ones are answered 503.',
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
