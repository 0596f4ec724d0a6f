import fc from 'fast-check';
import { deliveryStatuses, type Message, type StatusEvent } from '../../src/message.ts';

const instant = fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_020 });
const word = fc.option(fc.constantFrom('sent', 'received', 'delivered', 'read', 'failed'), { nil: null });

/** Any event: few different instants and words, so that ties are common. */
const anyEvent: fc.Arbitrary<StatusEvent> = fc
  .record({
    status: fc.constantFrom(...deliveryStatuses),
    at: instant,
    receivedAt: instant,
    rawStatus: word,
    failure: fc.option(fc.record({ code: word, reason: word }), { nil: null }),
  })
  .map((event) => (event.status === 'FAILED' ? event : { ...event, failure: null }));

/** Any news of one message: one event, and sometimes the details of its send. */
export function anyNews(id = 'm'): fc.Arbitrary<Message> {
  const details = fc.record({
    client: fc.constantFrom('a', 'b', null),
    clientPhone: fc.constant('393121234567'),
    clientName: fc.constant(null),
    textMessage: fc.constantFrom('one', 'two'),
    delay: fc.constant(null),
    scheduledFor: fc.constant(null),
    acceptedAt: instant,
  });
  return fc.record({
    business: fc.constant('acme'),
    id: fc.constant(id),
    details: fc.option(details, { nil: null, freq: 3 }),
    history: anyEvent.map((event) => [event]),
  });
}
