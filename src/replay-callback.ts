import type { CallbackReading } from './callback-reading.ts';
import { GatewayError } from './errors.ts';
import type { QuarantinedCallback, Store } from './store/port.ts';

/** Reads once more what was not understood when it came, by the rules of now. */
export type RereadCallback = (callback: QuarantinedCallback) => CallbackReading;

/**
 * quarantine -> store -> whoever watches. What is understood now is recorded, as of when it came; what is still not
 * wholly understood stays in quarantine.
 *
 * @throws GatewayError NOT_FOUND, STORE_UNAVAILABLE.
 */
export async function replayCallback(
  store: Pick<Store, 'findQuarantined' | 'record' | 'release'>,
  reread: RereadCallback,
  business: string,
  id: string,
): Promise<CallbackReading> {
  const callback = await store.findQuarantined(business, id);
  if (!callback)
    throw new GatewayError('NOT_FOUND', `No quarantined callback has the id ${JSON.stringify(id)}.`);
  const reading = reread(callback);
  if (reading.faults.length === 0) await store.release(business, id, reading.news);
  else if (reading.news.length > 0) await store.record(reading.news);
  return reading;
}
