import type { Logger } from 'pino';
import { maxFaultsTold } from '../callback-reading.ts';
import { CallbackRoomError } from '../callback-room-error.ts';
import type { CallbackFormat } from '../config.ts';
import type { Messaging } from '../messaging.ts';
import { type AuthenticCallback, createCallbackReader } from './callback.ts';
import type { CallbackOutcome } from './callback-outcome.ts';
import { callbackRemainder } from './callback-remainder.ts';

export interface CallbackReceiverOptions {
  readonly format: CallbackFormat;
  readonly messaging: Pick<Messaging, 'receive'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

export interface CallbackAnswer {
  readonly outcome: CallbackOutcome;
  readonly body: object;
}

/**
 * Records one authentic callback. What it answers as recorded is durable.
 *
 * @param traceparent what it belongs to, valid, where callbacks are traced.
 */
export type ReceiveCallback = (callback: AuthenticCallback, traceparent?: string) => Promise<CallbackAnswer>;

/** For what is no text, too. */
export const notJson: CallbackAnswer = {
  outcome: 'notJson',
  body: { error: 'The body is not JSON in UTF-8.' },
};
const notRecorded: CallbackAnswer = {
  outcome: 'notRecorded',
  body: { error: 'This could not be recorded. Please repeat it.' },
};

export function createCallbackReceiver({ format, messaging, log }: CallbackReceiverOptions): ReceiveCallback {
  const read = createCallbackReader(format);
  const reportStore = createStoreReporter(log);

  async function record(...callback: Parameters<Messaging['receive']>): Promise<boolean> {
    try {
      await messaging.receive(...callback);
      reportStore(undefined);
      return true;
    } catch (error) {
      // The store serves, and has told the operator of a business that is full.
      if (!(error instanceof CallbackRoomError)) reportStore(error);
      return false;
    }
  }

  return async ({ business, text }, traceparent) => {
    const arrival = { business, receivedAt: Date.now() };
    const reading = read(text, arrival);
    if (reading === undefined) return notJson;
    const { news, accepted, faults } = reading;
    if (faults.length === 0) {
      const recorded = news.length === 0 || (await record(news, [], traceparent));
      return recorded ? { outcome: 'understood', body: { accepted } } : notRecorded;
    }
    const told = faults.slice(0, maxFaultsTold);
    const quarantined = { ...arrival, ...callbackRemainder(text, faults) };
    if (!(await record(news, [quarantined], traceparent))) return notRecorded;
    log.warn(
      { business, accepted, faults: told },
      'a callback was not understood, and is kept in quarantine',
    );
    return { outcome: 'notUnderstood', body: { accepted, quarantined: true, faults: told } };
  };
}

/** Says once that callbacks cannot be recorded, and once that they can again, however many there are between. */
function createStoreReporter(log: CallbackReceiverOptions['log']): (error: unknown) => void {
  let down = false;
  return (error) => {
    if (error !== undefined && !down)
      log.warn({ err: error }, 'callbacks cannot be recorded; Pingup is to repeat them');
    if (error === undefined && down) log.info('callbacks are recorded again');
    down = error !== undefined;
  };
}
