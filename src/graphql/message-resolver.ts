import { Arg, Args, Ctx, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { Message as KnownMessage } from '../message.ts';
import { traceparentOf } from '../traceparent.ts';
import { BusinessArg } from './business-arg.ts';
import { MessageConnection, MessagesArgs } from './connection-types.ts';
import { actFor, countedFor, type GatewayContext } from './context.ts';
import { pageCost } from './field-cost.ts';
import { Message } from './message-types.ts';
import { viewMessage, viewPage } from './message-view.ts';
import { checkPageSize } from './page-size.ts';
import { ID } from './scalars.ts';
import { SendTextMessageInput, SendTextMessagePayload } from './send-types.ts';

/** Translates between the schema and the flow; decides nothing. */
@Resolver()
export class MessageResolver {
  @Mutation(() => SendTextMessagePayload, {
    nullable: true,
    description:
      'Sends a WhatsApp text through Pingup, and resolves once Pingup has accepted it and the gateway has written ' +
      'it down. An error with `retryable: true` sent nothing; SEND_OUTCOME_UNKNOWN means that it may have been sent. ' +
      'With an `idempotencyKey`, a repeat sends nothing that was sent before. Null when it failed: the error has its ' +
      'path, and other sends of the same document are not affected.',
  })
  async sendTextMessage(
    @Arg('input', () => SendTextMessageInput, { description: 'The text and whom it is for.' })
    input: SendTextMessageInput,
    @Ctx() context: GatewayContext,
  ): Promise<SendTextMessagePayload> {
    const business = actFor(context, 'messages:send', input.business, ['input', 'business']);
    const traceparent = traceparentOf(context.traceparent);
    const request = { business, traceparent, caller: countedFor(context) };
    const { message, replayed } = await context.messaging.send(input, request);
    return { message: viewMessage(message), replayed };
  }

  @Subscription(() => Message, {
    description:
      'The message as it is now, at once, and then each later state, in order and once. Completes at READ, or when ' +
      'the gateway deletes the message at the end of its retention. ' +
      'An unknown id is NOT_FOUND. After a lost connection, subscribe again: the first value is the state by then.',
    subscribe: ({ args, context }) => watchMessage(args, context),
  })
  messageStatus(
    @Root() message: KnownMessage,
    @Arg('messageId', () => ID, { description: 'The id that `sendTextMessage` gave.' }) _messageId: string,
    @BusinessArg() _business: string | null | undefined,
  ): Message {
    return viewMessage(message);
  }

  @Query(() => Message, { nullable: true, description: 'One message, or null where the id is unknown.' })
  async message(
    @Arg('id', () => ID, { description: 'The id that `sendTextMessage` gave.' }) id: string,
    @BusinessArg() wanted: string | null | undefined,
    @Ctx() context: GatewayContext,
  ): Promise<Message | null> {
    const business = actFor(context, 'messages:read', wanted);
    const message = await context.messaging.find({ business, id });
    return message ? viewMessage(message) : null;
  }

  @Query(() => MessageConnection, {
    complexity: pageCost,
    description: 'Messages, newest first, a page at a time.',
  })
  async messages(
    @Args(() => MessagesArgs) { business, first, after, client, status }: MessagesArgs,
    @Ctx() context: GatewayContext,
  ): Promise<MessageConnection> {
    const page = await context.messaging.list({
      business: actFor(context, 'messages:read', business),
      first: checkPageSize(first),
      after: after ?? undefined,
      client: client ?? undefined,
      statuses: status ?? undefined,
    });
    return viewPage(page, after ?? null);
  }
}

/** graphql-js subscribes with raw arguments; the schema has already made these strings. */
async function watchMessage(
  { messageId, business: wanted }: Readonly<Record<string, unknown>>,
  context: GatewayContext,
): Promise<AsyncIterable<KnownMessage>> {
  const business = actFor(context, 'messages:read', wanted == null ? null : String(wanted));
  return context.messaging.watch({ business, id: String(messageId) });
}
