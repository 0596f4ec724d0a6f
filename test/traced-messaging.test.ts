import { expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { type Message, merge } from '../src/message.ts';
import type { Messaging } from '../src/messaging.ts';
import { startOtelTracing } from '../src/otel-tracing.ts';
import { createMessageTraces } from '../src/traced-messaging.ts';
import { type CollectedSpan, startCollector } from './support/collector.ts';

/** A flow that records nothing and resolves. */
const deaf = { receive: async () => undefined } as Partial<Messaging> as Messaging;
const log = { info: () => undefined, warn: () => undefined };

/** News of one message that came at an instant. */
function newsAt(receivedAt: number, status: 'SENT' | 'DELIVERED' | 'READ', id = 'm'): Message {
  const event = { status, at: receivedAt, receivedAt, rawStatus: status, failure: null };
  return { business: 'acme', id, details: null, history: [event] };
}

/** The spans of some work. */
async function spansOf(
  work: (traces: ReturnType<typeof createMessageTraces>) => Promise<unknown>,
): Promise<CollectedSpan[]> {
  await using collector = await startCollector();
  const { tracing: config } = parseConfig(collector.env);
  if (!config) throw new Error('no endpoint');
  {
    await using tracing = startOtelTracing(config, log);
    await work(createMessageTraces(tracing));
  }
  return collector.spans();
}

test('a push belongs to the record whose news came last, and without one is a trace of its own', async () => {
  const sent = newsAt(1, 'SENT');
  const delivered = newsAt(2, 'DELIVERED');
  const spans = await spansOf(async (traces) => {
    const messaging = traces.trace(deaf);
    await messaging.receive([sent]);
    traces.pushed(sent);
    // Another node records this one, and this node pushes it too.
    traces.pushed(merge(sent, delivered));
    const read = newsAt(3, 'READ');
    await messaging.receive([read, newsAt(3, 'READ', 'another')]);
    traces.pushed(merge(merge(sent, delivered), read));
  });
  const pushes = spans.filter(({ name }) => name === 'push');
  const records = spans.filter(({ name }) => name === 'record');
  expect(pushes.map(({ parentId }) => parentId)).toEqual([records[0]?.spanId, undefined, records[1]?.spanId]);
});

test('equal ids of two businesses are two messages', async () => {
  const spans = await spansOf(async (traces) => {
    await traces.trace(deaf).receive([newsAt(1, 'SENT')]);
    traces.pushed({ ...newsAt(1, 'SENT'), business: 'other' });
  });
  expect(spans.find(({ name }) => name === 'push')).toMatchObject({
    parentId: undefined,
    attributes: { 'pingup.business': 'other' },
  });
});
