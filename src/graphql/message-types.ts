import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type DeliveryStatus, deliveryStatuses } from '../message.ts';
import { maxCharacters } from '../text-limits.ts';
import { enumValues } from './enum-values.ts';
import { asciiCost, listCost, textCost } from './field-cost.ts';
import { DateTime, Delay, ID } from './scalars.ts';

export const DeliveryStatusEnum = enumValues(deliveryStatuses);

registerEnumType(DeliveryStatusEnum, {
  name: 'DeliveryStatus',
  description:
    'How far a message has come. A message has the furthest status that was ever reported of it, in the order ' +
    'ACCEPTED, SENT, FAILED, DELIVERED, READ: late, repeated and crossed reports never take it back.',
  valuesConfig: {
    ACCEPTED: { description: 'Pingup has taken the message.' },
    SENT: { description: 'The message is on its way to the phone.' },
    FAILED: { description: 'The message was reported as failed. A delivery proven later outweighs it.' },
    DELIVERED: { description: 'The message has reached the phone.' },
    READ: { description: 'The message was read. Nothing can follow.' },
  },
});

@ObjectType({ description: 'One status that was reported of a message.', simpleResolvers: true })
export class StatusEvent {
  @Field(() => DeliveryStatusEnum, { description: 'What was reported.' })
  status!: DeliveryStatus;

  @Field(() => DateTime, {
    description: "When it happened, by Pingup's clock; `receivedAt` where Pingup did not say.",
  })
  at!: number;

  @Field(() => DateTime, { description: 'When the gateway learnt of it.' })
  receivedAt!: number;

  @Field(() => String, {
    complexity: textCost(maxCharacters.rawStatus),
    nullable: true,
    description: "Pingup's own word for it; null for ACCEPTED, which the gateway saw itself.",
  })
  rawStatus!: string | null;
}

@ObjectType({ description: "Why a message failed, in Pingup's words.", simpleResolvers: true })
export class DeliveryFailure {
  @Field(() => String, {
    complexity: textCost(maxCharacters.failureCode),
    nullable: true,
    description: "Pingup's code of the failure, where it gave one.",
  })
  code!: string | null;

  @Field(() => String, {
    complexity: textCost(maxCharacters.failureReason),
    nullable: true,
    description: 'The reason as a sentence, where Pingup gave one.',
  })
  reason!: string | null;
}

@ObjectType({
  description:
    'A WhatsApp text message. Its `id` is the same on every path, so a normalising client cache keeps the screen ' +
    'up to date from the subscription alone. A message that is known from callbacks only has no send details.',
  simpleResolvers: true,
})
export class Message {
  @Field(() => ID, {
    complexity: textCost(maxCharacters.messageId),
    description: "Pingup's id of the message.",
  })
  id!: string;

  @Field(() => ID, {
    complexity: asciiCost(maxCharacters.business),
    description: 'The business that sent it. Ids are unique within one business.',
  })
  business!: string;

  @Field(() => ID, {
    complexity: textCost(maxCharacters.name),
    nullable: true,
    description: "Pingup's id of the client it was sent to, where given.",
  })
  client!: string | null;

  @Field(() => String, {
    complexity: asciiCost(maxCharacters.phone),
    nullable: true,
    description: 'The phone number it was sent to, where given: digits with the country prefix.',
  })
  clientPhone!: string | null;

  @Field(() => String, {
    complexity: textCost(maxCharacters.name),
    nullable: true,
    description: "The client's name, where given.",
  })
  clientName!: string | null;

  @Field(() => String, {
    complexity: textCost(maxCharacters.text),
    nullable: true,
    description: 'The text, where the gateway keeps texts.',
  })
  textMessage!: string | null;

  @Field(() => Delay, {
    complexity: asciiCost(maxCharacters.delay),
    nullable: true,
    description: 'The delay that was asked for.',
  })
  delay!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'The delay as an instant: when Pingup is to send.' })
  scheduledFor!: number | null;

  @Field(() => DeliveryStatusEnum, { description: 'The furthest status reported so far.' })
  status!: DeliveryStatus;

  @Field(() => Int, {
    description:
      'How many statuses have been reported. It only grows: of two states, the higher is the later.',
  })
  revision!: number;

  @Field(() => [StatusEvent], {
    complexity: listCost(deliveryStatuses.length),
    description: 'Every status reported so far, in the order they happened.',
  })
  history!: readonly StatusEvent[];

  @Field(() => DeliveryFailure, { nullable: true, description: 'Why it failed, while its status is FAILED.' })
  failure!: DeliveryFailure | null;

  @Field(() => DateTime, { nullable: true, description: 'When Pingup accepted it.' })
  acceptedAt!: number | null;

  @Field(() => DateTime, { description: 'When the gateway last learnt something of it.' })
  updatedAt!: number;
}
