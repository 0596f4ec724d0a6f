import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/**
 * An error that was described already. The error itself holds the document it is about, which must not wait for a slow
 * reader; its description is small.
 */
export class DescribedError extends GraphQLError {
  readonly described: GraphQLFormattedError;

  constructor(described: GraphQLFormattedError) {
    super(described.message);
    this.described = described;
  }
}
