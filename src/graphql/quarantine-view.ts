import { cutReason } from '../callback-reading.ts';
import { createGate } from '../gate.ts';
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
  const readBody = shared(() => readInTurn(() => messaging.quarantinedBody(business, id)));
  return { ...callback, reason: cutReason(reason), readBody };
}

/**
 * Bodies that are read at once, of all operations: each has up to 256 KiB, one document can ask for a thousand, and
 * everybody else's calls to the store would wait behind them.
 */
const readInTurn = createGate(8);

/** Calls `read` once for all who ask while it reads. A body is not kept until its operation has ended. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}
