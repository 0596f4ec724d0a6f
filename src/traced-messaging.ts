import { LRUCache } from 'lru-cache';
import { keyText, type Message, updatedAtOf } from './message.ts';
import type { Messaging, Sent } from './messaging.ts';
import { errorTypeOf, idAttribute, inSpan, operationAttributes, type Span, type Tracing } from './tracing.ts';

/** The spans of the flow: a `send` for each send, and a `record` for each message that a callback spoke of. */
export interface MessageTraces {
  /** The same flow, traced. */
  trace(messaging: Messaging): Messaging;
  /** A `push`, for each state that is handed to a watch: part of the `record` that brought it, where that was here. */
  pushed(message: Message): void;
}

/** How many sends, and how many callbacks, are remembered for what comes after them: about 1 MB of each. */
const maxRemembered = 5_000;

export function createMessageTraces(tracing: Tracing): MessageTraces {
  /** The span of each send, by its message. */
  const sends = new LRUCache<string, string>({ max: maxRemembered });
  /** The span that brought each state: pushes come from the store, which knows of no spans. */
  const records = new LRUCache<string, Pick<Span, 'traceparent' | 'sampled'>>({ max: maxRemembered });

  function trace(messaging: Messaging): Messaging {
    function send(...[input, context]: Parameters<Messaging['send']>): Promise<Sent> {
      const span = tracing.start({
        name: 'send',
        kind: 'internal',
        parent: context.traceparent,
        attributes: operationAttributes('send', context.business),
      });
      return inSpan(span, async () => {
        const sent = await messaging.send(input, { ...context, traceparent: span.traceparent });
        span.set({ ...idAttribute(sent.message.id), 'pingup.replayed': sent.replayed });
        if (span.sampled && !sent.replayed) sends.set(keyText(sent.message), span.traceparent);
        return sent;
      });
    }

    async function receive(...call: Parameters<Messaging['receive']>): Promise<void> {
      const [news, , parent] = call;
      const spans = news.map((message) => startRecord(message, parent));
      let errorType: string | undefined;
      try {
        await messaging.receive(...call);
      } catch (error) {
        errorType = errorTypeOf(error);
        throw error;
      } finally {
        for (const span of spans) span.end(errorType);
      }
    }

    return { ...messaging, send, receive };
  }

  function startRecord(message: Message, parent: string | undefined): Span {
    const span = tracing.start({ name: 'record', kind: 'internal', parent });
    const { traceparent, sampled } = span;
    records.set(stateKey(message), { traceparent, sampled });
    if (!sampled) return span;
    span.set({ ...operationAttributes('record', message.business), ...idAttribute(message.id) });
    const send = sends.get(keyText(message));
    if (send !== undefined) span.link(send);
    return span;
  }

  function pushed(message: Message): void {
    const record = records.get(stateKey(message));
    if (record && !record.sampled) return;
    const attributes = { ...operationAttributes('push', message.business), ...idAttribute(message.id) };
    tracing.start({ name: 'push', kind: 'internal', parent: record?.traceparent, attributes }).end();
  }

  return { trace, pushed };
}

/** The same for what a callback said and for the state that came of it, and after other news another. */
function stateKey(message: Message): string {
  return `${keyText(message)}/${updatedAtOf(message)}`;
}
