import { ArgsType, Field, Int, ObjectType } from 'type-graphql';
import type { DeliveryStatus } from '../message.ts';
import { businessDescription } from './business-arg.ts';
import { cursorCost, edgesCost } from './field-cost.ts';
import { DeliveryStatusEnum, Message } from './message-types.ts';
import { defaultPageSize } from './page-size.ts';
import { ID } from './scalars.ts';

@ObjectType({ description: 'Where a page stands in the whole list.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether older entries follow.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'Whether the page starts after a cursor.' })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    complexity: cursorCost,
    nullable: true,
    description: 'The cursor of the first entry of the page.',
  })
  startCursor!: string | null;

  @Field(() => String, {
    complexity: cursorCost,
    nullable: true,
    description: 'The cursor of the last: `after` of the next page.',
  })
  endCursor!: string | null;
}

@ObjectType({ description: 'A message and its place in the list.', simpleResolvers: true })
export class MessageEdge {
  @Field(() => String, { complexity: cursorCost, description: 'The place of the message, for `after`.' })
  cursor!: string;

  @Field(() => Message, { description: 'The message.' })
  node!: Message;
}

@ObjectType({ description: 'A page of messages, newest first.', simpleResolvers: true })
export class MessageConnection {
  @Field(() => [MessageEdge], { complexity: edgesCost, description: 'The messages with their cursors.' })
  edges!: readonly MessageEdge[];

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo!: PageInfo;
}

/** What every list takes. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, defaultValue: defaultPageSize, description: 'How many, 1 to 100.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only those after this cursor.' })
  after?: string | null;

  @Field(() => ID, { nullable: true, description: businessDescription })
  business?: string | null;
}

@ArgsType()
export class MessagesArgs extends PageArgs {
  @Field(() => ID, { nullable: true, description: 'Only those sent to this client.' })
  client?: string | null;

  @Field(() => [DeliveryStatusEnum], { nullable: true, description: 'Only those in one of these statuses.' })
  status?: DeliveryStatus[] | null;
}
