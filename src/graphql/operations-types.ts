import { ArgsType, Field, InputType, Int, ObjectType } from 'type-graphql';
import { maxCharacters } from '../text-limits.ts';
import { businessDescription } from './business-arg.ts';
import { PageArgs, PageInfo } from './connection-types.ts';
import { asciiCost, cursorCost, edgesCost, textCost } from './field-cost.ts';
import { DateTime, ID } from './scalars.ts';

@ObjectType({
  description: "A callback that was Pingup's, and of which something was not understood.",
  simpleResolvers: true,
})
export class QuarantinedCallback {
  @Field(() => ID, {
    complexity: cursorCost,
    description: "The gateway's id of it, among those of its business.",
  })
  id!: string;

  @Field(() => ID, {
    complexity: asciiCost(maxCharacters.business),
    description: 'The business whose callback address it came to.',
  })
  business!: string;

  @Field(() => Int, {
    description: 'How long the body is in UTF-16 code units: `raw` is read up to there.',
  })
  rawLength!: number;

  /** The whole body; undefined when it has left the quarantine since. It is read once, however often it is asked for. */
  readBody!: () => Promise<string | undefined>;

  @Field(() => String, {
    complexity: textCost(maxCharacters.quarantineReason),
    description:
      'What was not understood when it came last, by the index in the body where that is an array.',
  })
  reason!: string;

  @Field(() => DateTime, { description: 'When it came first.' })
  receivedAt!: number;

  @Field(() => DateTime, { description: 'When the same body came last.' })
  lastReceivedAt!: number;

  @Field(() => Int, { description: 'How often it came.' })
  times!: number;
}

@ObjectType({ description: 'A quarantined callback and its place in the list.', simpleResolvers: true })
export class QuarantinedCallbackEdge {
  @Field(() => String, { complexity: cursorCost, description: 'The place of the callback, for `after`.' })
  cursor!: string;

  @Field(() => QuarantinedCallback, { description: 'The callback.' })
  node!: QuarantinedCallback;
}

@ObjectType({ description: 'A page of quarantined callbacks, newest first.', simpleResolvers: true })
export class QuarantinedCallbackConnection {
  @Field(() => [QuarantinedCallbackEdge], {
    complexity: edgesCost,
    description: 'The callbacks with their cursors.',
  })
  edges!: readonly QuarantinedCallbackEdge[];

  @Field(() => PageInfo, { description: 'Where the page stands.' })
  pageInfo!: PageInfo;
}

@ArgsType()
export class QuarantinedCallbacksArgs extends PageArgs {}

@ObjectType({ description: 'What came of `replayCallback`.', simpleResolvers: true })
export class ReplayCallbackPayload {
  @Field(() => Boolean, {
    description: 'Whether all of it is understood now, and it has left the quarantine.',
  })
  understood!: boolean;

  @Field(() => Int, {
    description: 'How many statuses it reports that are understood now. They are recorded.',
  })
  accepted!: number;

  @Field(() => String, {
    complexity: textCost(maxCharacters.quarantineReason),
    nullable: true,
    description: 'What is still not understood; null where all of it is.',
  })
  reason!: string | null;
}

@ObjectType({ description: 'What came of `deleteQuarantinedCallbacks`.', simpleResolvers: true })
export class DeleteQuarantinedCallbacksPayload {
  @Field(() => Int, { description: 'How many of them were there.' })
  deleted!: number;
}

@InputType({ description: 'A client to forget. At least one of `client` and `clientPhone` is required.' })
export class ForgetClientInput {
  @Field(() => ID, { nullable: true, description: "Pingup's id of the client." })
  client?: string | null;

  @Field(() => String, {
    nullable: true,
    description: "The client's phone number, written as for `sendTextMessage`.",
  })
  clientPhone?: string | null;

  @Field(() => ID, { nullable: true, description: businessDescription })
  business?: string | null;
}

@ObjectType({ description: 'What came of `forgetClient`.', simpleResolvers: true })
export class ForgetClientPayload {
  @Field(() => Int, { description: 'How many messages were deleted.' })
  messages!: number;

  @Field(() => Int, {
    description:
      'How many sends no longer say to whom and what. They keep their outcome and idempotency key.',
  })
  sends!: number;
}
