import { readTraceparent } from '../traceparent.ts';
import { operationAttributes, type Span, type Tracing } from '../tracing.ts';
import type { AuthenticCallback } from './callback.ts';
import { callbackRoot } from './callback-address.ts';
import { statusByOutcome } from './callback-outcome.ts';
import type { CallbackAnswer, ReceiveCallback } from './callback-receiver.ts';

/** Receives a callback that came with this `traceparent` header, of which nothing is checked yet. */
export type ReceiveRequest = (callback: AuthenticCallback, traceparent: unknown) => Promise<CallbackAnswer>;

/** A receiver with a span for each authentic callback. Of others nothing is kept: anybody can send them. */
export function traceCallbacks(receive: ReceiveCallback, tracing: Tracing): ReceiveRequest {
  async function receiveIn(span: Span, callback: AuthenticCallback): Promise<CallbackAnswer> {
    span.set({
      ...operationAttributes('callback', callback.business),
      'http.request.method': 'POST',
      'http.route': `${callbackRoot}/{business}`,
    });
    const answer = await receive(callback, span.traceparent);
    const { outcome } = answer;
    span.set({ 'pingup.outcome': outcome, 'http.response.status_code': statusByOutcome[outcome] });
    // What is wrong with the callback itself is no failure of the gateway's. Why this one is, its `record` says.
    span.end(outcome === 'notRecorded' ? outcome : undefined);
    return answer;
  }

  return (callback, header) => {
    const parent = readTraceparent(header);
    const span = tracing.start({ name: 'callback', kind: 'server', parent });
    return span.sampled ? receiveIn(span, callback) : receive(callback, span.traceparent);
  };
}
