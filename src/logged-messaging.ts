import type { Logger } from 'pino';
import type { CallbackReading } from './callback-reading.ts';
import { GatewayError, type GatewayErrorCode } from './errors.ts';
import type { ForgottenClient } from './forgotten-client.ts';
import type { Messaging } from './messaging.ts';
import type { Forgotten } from './store/port.ts';

type Log = Pick<Logger, 'info' | 'warn'>;

/** Each of these is a message that somebody may have to look after. */
const singular: ReadonlySet<GatewayErrorCode> = new Set(['SEND_OUTCOME_UNKNOWN', 'PINGUP_REJECTED']);
/** These come in rows, as long as Pingup is away: the first and the end of a row are told, for each business. */
const inRows: ReadonlySet<GatewayErrorCode> = new Set(['PINGUP_UNAVAILABLE', 'PINGUP_RATE_LIMITED']);

/** The same flow, with a line in the log for what an operator should know: sends that failed, and what operators did. */
export function logMessaging(messaging: Messaging, log: Log): Messaging {
  /** Of each business whose sends fail in a row: how. */
  const rows = new Map<string, GatewayErrorCode>();

  function succeeded(business: string): void {
    if (rows.delete(business)) log.info({ business }, 'Pingup takes messages again');
  }

  function failed(business: string, error: unknown): void {
    if (!(error instanceof GatewayError)) return;
    const { code, cause } = error;
    if (singular.has(code)) log.warn({ business, code, err: cause }, `a send failed: ${error.message}`);
    if (!inRows.has(code) || rows.get(business) === code) return;
    rows.set(business, code);
    log.warn({ business, code, err: cause }, `sends fail: ${error.message}`);
  }

  async function send(...call: Parameters<Messaging['send']>): ReturnType<Messaging['send']> {
    const [, { business }] = call;
    try {
      const sent = await messaging.send(...call);
      // A replay asked nothing of Pingup, and says nothing of it.
      if (!sent.replayed) succeeded(business);
      return sent;
    } catch (error) {
      failed(business, error);
      throw error;
    }
  }

  async function replayCallback(business: string, id: string): Promise<CallbackReading> {
    const reading = await messaging.replayCallback(business, id);
    const { accepted, faults } = reading;
    log.info({ business, id, accepted, faults: faults.length }, 'a quarantined callback was read again');
    return reading;
  }

  async function deleteQuarantined(business: string, ids: readonly string[]): Promise<number> {
    const deleted = await messaging.deleteQuarantined(business, ids);
    log.info({ business, ids, deleted }, 'quarantined callbacks were deleted');
    return deleted;
  }

  async function forget(client: ForgottenClient): Promise<Forgotten> {
    const forgotten = await messaging.forget(client);
    log.info({ business: client.business, ...forgotten }, 'a client was forgotten');
    return forgotten;
  }

  return { ...messaging, send, replayCallback, deleteQuarantined, forget };
}
