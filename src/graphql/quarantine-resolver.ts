import { Arg, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { checkPiece, cutPiece, maxPieceLength } from './body-piece.ts';
import { pieceCost } from './field-cost.ts';
import { QuarantinedCallback } from './operations-types.ts';

/** Reads a quarantined body in pieces: whole ones have up to 256 KiB each. */
@Resolver(() => QuarantinedCallback)
export class QuarantineResolver {
  @FieldResolver(() => String, {
    complexity: pieceCost,
    nullable: true,
    description:
      'A piece of the body as it came, empty from `rawLength` on; null when the callback has left the quarantine since. ' +
      'A surrogate pair is never cut: it belongs to the piece in which it begins, so a piece can be one code unit ' +
      'longer or shorter than `length`, and the pieces from 0, `length`, 2 × `length` … together are the body.',
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
}
