import { Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { actFor, type GatewayContext } from './context.ts';
import { pageCost } from './field-cost.ts';
import { Message } from './message-types.ts';
import { viewMessage } from './message-view.ts';
import { checkPageSize } from './page-size.ts';
import { Send, SendConnection, SendsArgs } from './send-connection-types.ts';
import { viewSends } from './send-view.ts';

/** Shows the books. */
@Resolver(() => Send)
export class SendResolver {
  @Query(() => SendConnection, {
    complexity: pageCost,
    description:
      'Every send there was, newest first, a page at a time: when, to whom, and what became of it.',
  })
  async sends(
    @Args(() => SendsArgs) { business, outcome, first, after }: SendsArgs,
    @Ctx() context: GatewayContext,
  ): Promise<SendConnection> {
    const page = await context.messaging.sends({
      business: actFor(context, 'messages:read', business),
      first: checkPageSize(first),
      after: after ?? undefined,
      outcomes: outcome ?? undefined,
    });
    return viewSends(page, after ?? null);
  }

  @FieldResolver(() => Message, {
    nullable: true,
    description: 'The message as it is now, where ACCEPTED and not deleted since.',
  })
  async message(
    @Root() { business, outcome, messageId: id }: Send,
    @Ctx() { messaging }: GatewayContext,
  ): Promise<Message | null> {
    // One that is UNKNOWN may have the id of another send's message.
    if (outcome !== 'ACCEPTED' || id === null) return null;
    const message = await messaging.find({ business, id });
    return message ? viewMessage(message) : null;
  }
}
