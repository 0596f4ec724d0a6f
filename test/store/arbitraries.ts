import fc from 'fast-check';
import { deliveryStatuses, type Message, type SendDetails, type StatusEvent } from '../../src/message.ts';
import { business } from './samples.ts';

/** Any well-formed text, NUL included. */
const anyText = fc.string({ unit: 'binary' });
const anyId = fc.string({ unit: 'binary', minLength: 1 });
const anyInstant = fc.integer({ min: 0, max: 8_640_000_000_000_000 });
const textOrNull = fc.option(anyText);

const anyEvent: fc.Arbitrary<StatusEvent> = fc.record({
  status: fc.constantFrom(...deliveryStatuses),
  at: anyInstant,
  receivedAt: anyInstant,
  rawStatus: textOrNull,
  failure: fc.option(fc.record({ code: textOrNull, reason: textOrNull })),
});

const anyDetails: fc.Arbitrary<SendDetails> = fc.record({
  client: textOrNull,
  clientPhone: textOrNull,
  clientName: textOrNull,
  textMessage: textOrNull,
  delay: textOrNull,
  scheduledFor: fc.option(anyInstant),
  acceptedAt: anyInstant,
});

export const anyMessage: fc.Arbitrary<Message> = fc.record({
  business: fc.constant(business),
  id: anyId,
  details: fc.option(anyDetails),
  history: fc.uniqueArray(anyEvent, { minLength: 1, maxLength: 5, selector: (event) => event.status }),
});

/** Statuses as unreliable callbacks report them: in any order, some repeatedly, some never. */
export const anyStatuses = fc.array(fc.constantFrom(...deliveryStatuses), { minLength: 1, maxLength: 12 });
