import { Arg, Args, Ctx, ID, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { Message as KnownMessage } from '../message.ts';
import type { Messaging } from '../messaging.ts';
import { traceparentOf } from '../traceparent.ts';
import { MessageConnection, MessagesArgs } from './connection-types.ts';
import { Message } from './message-types.ts';
import { viewMessage, viewPage } from './message-view.ts';
import { checkPageSize } from './page-size.ts';
import { SendTextMessageInput, SendTextMessagePayload } from './send-types.ts';

/** What all operations share. */
export interface SharedContext {
  readonly messaging: Messaging;
}

/** What every operation is given, on HTTP and on the socket alike. */
export interface GatewayContext extends SharedContext {
  /** The caller's W3C `traceparent` header, where there was one: nothing of it is checked yet. */
  readonly traceparent: unknown;
}

/** Translates between the schema and the flow; decides nothing. */
@Resolver()
export class MessageResolver {
  @Mutation(() => SendTextMessagePayload, {
    description:
      'Sends a WhatsApp text through Pingup, and resolves once Pingup has accepted it and the gateway has written ' +
      'it down. An error with `retryable: true` sent nothing; SEND_OUTCOME_UNKNOWN means that it may have been sent. ' +
      'With an `idempotencyKey`, a repeat sends nothing that was sent before.',
  })
  async sendTextMessage(
    @Arg('input', () => SendTextMessageInput, { description: 'The text and whom it is for.' })
    input: SendTextMessageInput,
    @Ctx() { messaging, traceparent }: GatewayContext,
  ): Promise<SendTextMessagePayload> {
    const { message, replayed } = await messaging.send(input, { traceparent: traceparentOf(traceparent) });
    return { message: viewMessage(message), replayed };
  }

  @Subscription(() => Message, {
    description:
      'The message as it is now, at once, and then each later state, in order and once. Completes at READ, or when ' +
      'the gateway deletes the message at the end of its retention. ' +
      'An unknown id is NOT_FOUND. After a lost connection, subscribe again: the first value is the state by then.',
    subscribe: ({ args, context }) => watchMessage(args['messageId'], context),
  })
  messageStatus(
    @Root() message: KnownMessage,
    @Arg('messageId', () => ID, { description: 'The id that `sendTextMessage` gave.' }) _messageId: string,
  ): Message {
    return viewMessage(message);
  }

  @Query(() => Message, { nullable: true, description: 'One message, or null where the id is unknown.' })
  async message(
    @Arg('id', () => ID, { description: 'The id that `sendTextMessage` gave.' }) id: string,
    @Ctx() { messaging }: GatewayContext,
  ): Promise<Message | null> {
    const message = await messaging.find(id);
    return message ? viewMessage(message) : null;
  }

  @Query(() => MessageConnection, { description: 'Messages, newest first, a page at a time.' })
  async messages(
    @Args(() => MessagesArgs) { first, after, client, status }: MessagesArgs,
    @Ctx() { messaging }: GatewayContext,
  ): Promise<MessageConnection> {
    const page = await messaging.list({
      first: checkPageSize(first),
      after: after ?? undefined,
      client: client ?? undefined,
      statuses: status ?? undefined,
    });
    return viewPage(page, after ?? null);
  }
}

/** graphql-js subscribes with raw arguments; the schema has already made this one a string. */
function watchMessage(id: unknown, { messaging }: GatewayContext): Promise<AsyncIterable<KnownMessage>> {
  return messaging.watch(String(id));
}
