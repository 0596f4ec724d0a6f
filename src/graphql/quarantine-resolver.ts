import { Arg, Ctx, FieldResolver, Int, Mutation, Resolver, Root } from 'type-graphql';
import { checkPiece, cutPiece, maxPieceLength } from './body-piece.ts';
import { BusinessArg } from './business-arg.ts';
import { actFor, type GatewayContext } from './context.ts';
import { pieceCost } from './field-cost.ts';
import { DeleteQuarantinedCallbacksPayload, QuarantinedCallback } from './operations-types.ts';
import { ID } from './scalars.ts';

/** The bodies of quarantined callbacks, in pieces since whole ones have up to 256 KiB each, and how they go. */
@Resolver(() => QuarantinedCallback)
export class QuarantineResolver {
  @FieldResolver(() => String, {
    complexity: pieceCost,
    nullable: true,
    description:
      'A piece of the body as it came (of an array only the elements that were not understood), empty from `rawLength` ' +
      'on; null when the callback has left the quarantine since. A surrogate pair is never cut: it belongs to the piece ' +
      'in which it begins, so a piece can be one code unit longer or shorter than `length`, and the pieces from 0, ' +
      '`length`, 2 × `length` … together are the body.',
  })
  async raw(
    @Root() { readBody }: QuarantinedCallback,
    @Arg('offset', () => Int, {
      nullable: true,
      defaultValue: 0,
      description: 'Where the piece begins, in UTF-16 code units.',
    })
    offset: number | null,
    @Arg('length', () => Int, {
      nullable: true,
      defaultValue: maxPieceLength,
      description: `How long it is in UTF-16 code units, 1 to ${maxPieceLength}.`,
    })
    length: number | null,
  ): Promise<string | null> {
    const piece = checkPiece(offset, length);
    const body = await readBody();
    return body === undefined ? null : cutPiece(body, piece);
  }

  @Mutation(() => DeleteQuarantinedCallbacksPayload, {
    nullable: true,
    description:
      'Deletes quarantined callbacks that nobody needs any more. Those that are not there are not counted. Takes the ' +
      'scope `operations`.',
  })
  async deleteQuarantinedCallbacks(
    @Arg('ids', () => [ID], { description: '1 to 100 ids that `quarantinedCallbacks` shows.' }) ids: string[],
    @BusinessArg() wanted: string | null | undefined,
    @Ctx() context: GatewayContext,
  ): Promise<DeleteQuarantinedCallbacksPayload> {
    const business = actFor(context, 'operations', wanted);
    return { deleted: await context.messaging.deleteQuarantined(business, ids) };
  }
}
