import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { cutText } from '../cut-text.ts';
import { GatewayError, type InputFault } from '../errors.ts';
import { locationsOf } from './document-source.ts';

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

/** Errors that one answer shows. What is beyond them is not described at all. */
export const maxErrors = 20;
/** Faults that one error shows. */
const maxFaults = 20;

export type DescribeError = (error: unknown) => GraphQLFormattedError;

/**
 * What a caller is told of an error, the same on HTTP and on the socket: always a code and whether to repeat. It is
 * bounded, whatever the error quotes.
 */
export function createErrorDescriber(log: Logger): DescribeError {
  return (error) => {
    if (!(error instanceof GraphQLError)) return mask(new GraphQLError(unexpectedMessage), error, log);
    const original = error.originalError;
    if (original instanceof GatewayError) return describe(error, gatewayExtensions(original));
    if (original && !(original instanceof GraphQLError)) return mask(error, original, log);
    return describe(error, requestExtensions(error));
  };
}

/** What a caller is told of the errors of one answer. */
export function describeErrors(
  errors: readonly unknown[],
  describeError: DescribeError,
): GraphQLFormattedError[] {
  return errors.slice(0, maxErrors).map(describeError);
}

function gatewayExtensions({ code, retryable, faults, retryAfterSeconds }: GatewayError) {
  return {
    code,
    retryable,
    ...(faults && { faults: faults.slice(0, maxFaults).map(cutFault) }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

function cutFault({ path, expected }: InputFault): InputFault {
  return { path: path.map((part) => cutText(part)), expected: cutText(expected) };
}

function describe(error: GraphQLError, extensions: Record<string, unknown>): GraphQLFormattedError {
  const { message, path } = error;
  const locations = locationsOf(error);
  return { message: cutText(message), ...(locations && { locations }), ...(path && { path }), extensions };
}

/** An error of our own making: the log keeps it, and the caller gets nothing but an id by which to find it there. */
function mask(error: GraphQLError, original: unknown, log: Logger): GraphQLFormattedError {
  const masked = new GraphQLError(unexpectedMessage, {
    nodes: error.nodes ?? null,
    path: error.path ?? null,
  });
  return describe(masked, logUnexpected(original, log, error.path));
}

export const unexpectedMessage = 'The gateway failed to answer this.';

/** Logs what should never happen. Returns the extensions for the caller, who can name the log line by them. */
export function logUnexpected(error: unknown, log: Logger, path?: GraphQLError['path']) {
  const correlationId = randomUUID();
  log.error({ err: error, path, correlationId }, 'an operation failed unexpectedly');
  return { code: 'INTERNAL_SERVER_ERROR', retryable: false, correlationId };
}

/** What is wrong with the request itself. */
function requestExtensions(error: GraphQLError) {
  const code = transportErrorCodes.find((known) => known === error.extensions['code']);
  return { code: code ?? 'BAD_REQUEST', retryable: false };
}
