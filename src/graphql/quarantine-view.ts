import { cutReason } from '../callback-reading.ts';
import type { KeptCallback, QuarantinePage } from '../store/port.ts';
import { viewPlace } from './message-view.ts';
import type { QuarantinedCallback, QuarantinedCallbackConnection } from './operations-types.ts';

/** A page of quarantined callbacks as a Relay connection. */
export function viewQuarantine(page: QuarantinePage, after: string | null): QuarantinedCallbackConnection {
  const edges = page.entries.map(({ cursor, callback }) => ({ cursor, node: viewCallback(callback) }));
  return { edges, pageInfo: viewPlace(page, after) };
}

function viewCallback({ raw, ...callback }: KeptCallback): QuarantinedCallback {
  const { length } = raw;
  const readBody = once(async () => raw);
  return { ...callback, reason: cutReason(callback.reason), rawLength: length, readBody };
}

/** Calls `read` at the first call only. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read();
    return reading;
  };
}
