import { cutReason } from '../callback-reading.ts';
import type { Messaging } from '../messaging.ts';
import type { QuarantineEntry, QuarantinePage } from '../store/port.ts';
import { viewPlace } from './message-view.ts';
import type { QuarantinedCallback, QuarantinedCallbackConnection } from './operations-types.ts';

/** A page of quarantined callbacks as a Relay connection. */
export function viewQuarantine(
  page: QuarantinePage,
  after: string | null,
  messaging: Pick<Messaging, 'quarantinedBody'>,
): QuarantinedCallbackConnection {
  const edges = page.entries.map(({ cursor, callback }) => ({
    cursor,
    node: viewCallback(callback, messaging),
  }));
  return { edges, pageInfo: viewPlace(page, after) };
}

function viewCallback(
  callback: QuarantineEntry,
  messaging: Pick<Messaging, 'quarantinedBody'>,
): QuarantinedCallback {
  const { business, id, reason } = callback;
  const readBody = once(() => messaging.quarantinedBody(business, id));
  return { ...callback, reason: cutReason(reason), readBody };
}

/** Calls `read` at the first call only. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read();
    return reading;
  };
}
