import { ArgsType, Field, ObjectType, registerEnumType } from 'type-graphql';
import { retryableByCode } from '../errors.ts';
import { type SendOutcome, sendOutcomes } from '../send.ts';
import { maxCharacters } from '../text-limits.ts';
import { PageArgs, PageInfo } from './connection-types.ts';
import { enumValues } from './enum-values.ts';
import { asciiCost, cursorCost, edgesCost, textCost } from './field-cost.ts';
import { DateTime, ID } from './scalars.ts';

const longestCode = Math.max(...Object.keys(retryableByCode).map((code) => code.length));

const SendOutcomeEnum = enumValues(sendOutcomes);

registerEnumType(SendOutcomeEnum, {
  name: 'SendOutcome',
  description: 'What became of a send.',
  valuesConfig: {
    PENDING: { description: 'It is under way.' },
    ACCEPTED: { description: 'Pingup took the message.' },
    NOT_SENT: { description: 'Nothing was sent. It may be sent again, with the same idempotency key too.' },
    REJECTED: { description: 'Pingup refused the message.' },
    UNKNOWN: { description: 'The message may or may not be on its way. It is never sent again by itself.' },
  },
});

@ObjectType({
  description: 'One try to send a text. It is written down before it leaves, and settled after.',
  simpleResolvers: true,
})
export class Send {
  @Field(() => ID, {
    complexity: cursorCost,
    description: "The gateway's id of the send, among those of its business.",
  })
  id!: string;

  @Field(() => ID, {
    complexity: asciiCost(maxCharacters.business),
    description: 'The business it is sent for.',
  })
  business!: string;

  @Field(() => DateTime, { description: 'When it was written down.' })
  at!: number;

  @Field(() => DateTime, { nullable: true, description: 'When its outcome was known; null while PENDING.' })
  settledAt!: number | null;

  @Field(() => ID, {
    complexity: textCost(maxCharacters.name),
    nullable: true,
    description: "Pingup's id of the client it is for, where given.",
  })
  client!: string | null;

  @Field(() => String, {
    complexity: asciiCost(maxCharacters.phone),
    nullable: true,
    description: 'The phone number it is for, where given: digits with the country prefix.',
  })
  clientPhone!: string | null;

  @Field(() => String, {
    complexity: textCost(maxCharacters.name),
    nullable: true,
    description: "The client's name, where given.",
  })
  clientName!: string | null;

  @Field(() => SendOutcomeEnum, { description: 'What became of it.' })
  outcome!: SendOutcome;

  @Field(() => String, {
    complexity: asciiCost(longestCode),
    nullable: true,
    description: 'Why it is NOT_SENT, REJECTED or UNKNOWN: the `extensions.code` of the error.',
  })
  errorCode!: string | null;

  @Field(() => ID, {
    complexity: textCost(maxCharacters.messageId),
    nullable: true,
    description:
      "Pingup's id of the message, where ACCEPTED. Where UNKNOWN it is the id that Pingup had given to another send " +
      'before, whose message it is.',
  })
  messageId!: string | null;
}

@ObjectType({ description: 'A send and its place in the list.', simpleResolvers: true })
export class SendEdge {
  @Field(() => String, { complexity: cursorCost, description: 'The place of the send, for `after`.' })
  cursor!: string;

  @Field(() => Send, { description: 'The send.' })
  node!: Send;
}

@ObjectType({ description: 'A page of sends, newest first.', simpleResolvers: true })
export class SendConnection {
  @Field(() => [SendEdge], { complexity: edgesCost, description: 'The sends with their cursors.' })
  edges!: readonly SendEdge[];

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo!: PageInfo;
}

@ArgsType()
export class SendsArgs extends PageArgs {
  @Field(() => [SendOutcomeEnum], { nullable: true, description: 'Only those with one of these outcomes.' })
  outcome?: SendOutcome[] | null;
}
