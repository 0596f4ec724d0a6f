import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';

/**
 * Codes that GraphQL and its transport add to those of `GatewayError`. None is retryable: the request itself is wrong,
 * or (INTERNAL_SERVER_ERROR) the gateway is, and what happened is unknown.
 */
export const transportErrorCodes = [
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
  'INTERNAL_SERVER_ERROR',
] as const;

type TransportErrorCode = (typeof transportErrorCodes)[number];

/** What a caller is told of an error, the same on HTTP and on the socket: always a code and whether to repeat. */
export function describeError(error: unknown, log: Logger): GraphQLFormattedError {
  const graphqlError = error instanceof GraphQLError ? error : new GraphQLError(String(error));
  const original = graphqlError.originalError;
  if (original instanceof GatewayError) return describe(graphqlError, gatewayExtensions(original));
  if (original && !(original instanceof GraphQLError)) return mask(graphqlError, original, log);
  return describe(graphqlError, { code: transportCode(graphqlError), retryable: false });
}

function gatewayExtensions({ code, retryable, faults, retryAfterSeconds }: GatewayError) {
  return {
    code,
    retryable,
    ...(faults && { faults }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

function describe(error: GraphQLError, extensions: Record<string, unknown>): GraphQLFormattedError {
  const { message, locations, path } = error.toJSON();
  return { message, ...(locations && { locations }), ...(path && { path }), extensions };
}

/** An error of our own making: the log keeps it, and the caller gets no detail. */
function mask(error: GraphQLError, original: Error, log: Logger): GraphQLFormattedError {
  log.error({ err: original, path: error.path }, 'an operation failed unexpectedly');
  const masked = new GraphQLError('The gateway failed to answer this.', {
    nodes: error.nodes ?? null,
    path: error.path ?? null,
  });
  return describe(masked, { code: 'INTERNAL_SERVER_ERROR', retryable: false });
}

function transportCode(error: GraphQLError): TransportErrorCode | 'BAD_USER_INPUT' {
  if (isVariableFault(error)) return 'BAD_USER_INPUT';
  const code = error.extensions['code'];
  if (code === 'BAD_USER_INPUT') return code;
  return transportErrorCodes.find((known) => known === code) ?? 'BAD_REQUEST';
}

/** graphql-js reports a value that does not fit its variable at the variable's definition. */
function isVariableFault(error: GraphQLError): boolean {
  return error.nodes?.length === 1 && error.nodes[0]?.kind === Kind.VARIABLE_DEFINITION;
}
