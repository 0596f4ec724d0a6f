import { readTraceparent } from '../traceparent.ts';
import { operationAttributes, type Tracing } from '../tracing.ts';
import { callbackRoot } from './callback-address.ts';
import { statusByOutcome } from './callback-outcome.ts';
import type { ReceiveCallback } from './callback-receiver.ts';

/** The same receiver with a span for each authentic callback. Of others nothing is kept: anybody can send them. */
export function traceCallbacks(receive: ReceiveCallback, tracing: Tracing): ReceiveCallback {
  return async (callback, traceparent) => {
    const span = tracing.start({
      name: 'callback',
      kind: 'server',
      parent: readTraceparent(traceparent),
      attributes: {
        ...operationAttributes('callback', callback.business),
        'http.request.method': 'POST',
        'http.route': `${callbackRoot}/{business}`,
      },
    });
    const answer = await receive(callback, span.traceparent);
    const { outcome } = answer;
    span.set({ 'pingup.outcome': outcome, 'http.response.status_code': statusByOutcome[outcome] });
    // What is wrong with the callback itself is no failure of the gateway's. Why this one is, its `record` says.
    span.end(outcome === 'notRecorded' ? outcome : undefined);
    return answer;
  };
}
