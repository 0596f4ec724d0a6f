import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { describeFaults } from '../callback-reading.ts';
import { parseForgottenClient } from '../forgotten-client.ts';
import { BusinessArg } from './business-arg.ts';
import { actFor, type GatewayContext } from './context.ts';
import { pageCost } from './field-cost.ts';
import {
  ForgetClientInput,
  ForgetClientPayload,
  QuarantinedCallbackConnection,
  QuarantinedCallbacksArgs,
  ReplayCallbackPayload,
} from './operations-types.ts';
import { checkPageSize } from './page-size.ts';
import { viewQuarantine } from './quarantine-view.ts';
import { ID } from './scalars.ts';

/** What an operator does. All of it takes the scope `operations`. */
@Resolver()
export class OperationsResolver {
  @Query(() => QuarantinedCallbackConnection, {
    complexity: pageCost,
    description:
      'Callbacks that were not, or not wholly, understood, newest first, a page at a time. Takes the scope `operations`.',
  })
  async quarantinedCallbacks(
    @Args(() => QuarantinedCallbacksArgs) { business: wanted, first, after }: QuarantinedCallbacksArgs,
    @Ctx() context: GatewayContext,
  ): Promise<QuarantinedCallbackConnection> {
    const business = actFor(context, 'operations', wanted);
    const query = { business, first: checkPageSize(first), after: after ?? undefined };
    const page = await context.messaging.quarantined(query);
    return viewQuarantine(page, after ?? null, context.messaging);
  }

  @Mutation(() => ReplayCallbackPayload, {
    nullable: true,
    description:
      'Reads a quarantined callback once more, after the map of statuses or a pointer was mended. What is understood ' +
      'now is recorded as of when it came, and pushed. Null when it failed. Takes the scope `operations`.',
  })
  async replayCallback(
    @Arg('id', () => ID, { description: 'The id that `quarantinedCallbacks` shows.' }) id: string,
    @BusinessArg() wanted: string | null | undefined,
    @Ctx() context: GatewayContext,
  ): Promise<ReplayCallbackPayload> {
    const business = actFor(context, 'operations', wanted);
    const { accepted, faults } = await context.messaging.replayCallback(business, id);
    const understood = faults.length === 0;
    return { understood, accepted, reason: understood ? null : describeFaults(faults) };
  }

  @Mutation(() => ForgetClientPayload, {
    nullable: true,
    description:
      "Erases a client's messages, and to whom and what from their sends. Nothing is sent again for it. A send that is " +
      'still PENDING is left for another call. Null when it failed. Takes the scope `operations`.',
  })
  async forgetClient(
    @Arg('input', () => ForgetClientInput, { description: 'Whom to forget.' }) input: ForgetClientInput,
    @Ctx() context: GatewayContext,
  ): Promise<ForgetClientPayload> {
    const business = actFor(context, 'operations', input.business, ['input', 'business']);
    return context.messaging.forget(parseForgottenClient(business, input));
  }
}
