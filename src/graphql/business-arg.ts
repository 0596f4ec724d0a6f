import { Arg } from 'type-graphql';
import { ID } from './scalars.ts';

export const businessDescription =
  'The business it is about. Required of a caller who may act for several; one who may act for one only acts for that.';

/** The optional argument `business` of an operation. */
export function BusinessArg(): ParameterDecorator {
  return Arg('business', () => ID, {
    nullable: true,
    description: businessDescription,
  }) as ParameterDecorator;
}
