import fc from 'fast-check';
import { deliveryStatuses, type Message, type SendDetails, type StatusEvent } from '../../src/message.ts';
import { business } from './samples.ts';

export interface MessageParts {
  readonly id: fc.Arbitrary<string>;
  readonly text: fc.Arbitrary<string>;
  /** Milliseconds since the epoch. */
  readonly instant: fc.Arbitrary<number>;
  readonly maxEvents: number;
}

/** Any message that is made of these. */
export function messageOf({ id, text, instant, maxEvents }: MessageParts): fc.Arbitrary<Message> {
  const textOrNull = fc.option(text);
  const event: fc.Arbitrary<StatusEvent> = fc.record({
    status: fc.constantFrom(...deliveryStatuses),
    at: instant,
    receivedAt: instant,
    rawStatus: textOrNull,
    failure: fc.option(fc.record({ code: textOrNull, reason: textOrNull })),
  });
  const details: fc.Arbitrary<SendDetails> = fc.record({
    client: textOrNull,
    clientPhone: textOrNull,
    clientName: textOrNull,
    textMessage: textOrNull,
    delay: textOrNull,
    scheduledFor: fc.option(instant),
    acceptedAt: instant,
  });
  return fc.record({
    business: fc.constant(business),
    id,
    details: fc.option(details),
    history: fc.uniqueArray(event, { minLength: 1, maxLength: maxEvents, selector: ({ status }) => status }),
  });
}

/** Any message, of any well-formed text, NUL included. */
export const anyMessage = messageOf({
  id: fc.string({ unit: 'binary', minLength: 1 }),
  text: fc.string({ unit: 'binary' }),
  instant: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
  maxEvents: 5,
});

/** Statuses as unreliable callbacks report them: in any order, some repeatedly, some never. */
export const anyStatuses = fc.array(fc.constantFrom(...deliveryStatuses), { minLength: 1, maxLength: 12 });

/** Units at which the order of code points is not that of code units, and those that not every database can hold. */
const oddUnits = [
  0, 1, 2, 3, 10, 0x41, 0xd7ff, 0xd800, 0xd83d, 0xdc00, 0xde00, 0xdfff, 0xe000, 0xe001, 0xe002, 0xfffd,
  0xffff,
];

/** Any UTF-16 code units, NUL and lone surrogates among them. */
export const oddText = fc
  .array(fc.oneof(fc.constantFrom(...oddUnits), fc.integer({ min: 0, max: 0xffff })), { maxLength: 6 })
  .map((units) => String.fromCharCode(...units));

/** Messages of odd texts, of whose instants many are the same. */
export const oddMessage = messageOf({
  id: oddText,
  text: oddText,
  instant: fc.constantFrom(0, 9, 10, 8_640_000_000_000_000),
  maxEvents: 5,
});
