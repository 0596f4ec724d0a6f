import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';
import { variableFault } from './variable-fault.ts';

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

export interface ErrorDescriberOptions {
  readonly log: Logger;
  /** Whether a message may suggest names of the schema ("Did you mean ..."). */
  readonly suggestions: boolean;
}

export type DescribeError = (error: unknown) => GraphQLFormattedError;

/** What a caller is told of an error, the same on HTTP and on the socket: always a code and whether to repeat. */
export function createErrorDescriber({ log, suggestions }: ErrorDescriberOptions): DescribeError {
  return (error) => {
    if (!(error instanceof GraphQLError)) return mask(new GraphQLError(unexpectedMessage), error, log);
    const original = error.originalError;
    if (original instanceof GatewayError) return describe(error, gatewayExtensions(original));
    if (original && !(original instanceof GraphQLError)) return mask(error, original, log);
    const described = describe(error, requestExtensions(error));
    return suggestions ? described : withoutSuggestion(described);
  };
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

/** graphql-js ends a message with a guess, and so gives the schema away name by name. */
function withoutSuggestion(error: GraphQLFormattedError): GraphQLFormattedError {
  return { ...error, message: error.message.replace(/ Did you mean .*\?$/s, '') };
}

/** What is wrong with the request itself. A code that was given goes first: validation speaks of variables too. */
function requestExtensions(error: GraphQLError) {
  const code = transportErrorCodes.find((known) => known === error.extensions['code']);
  const fault = code ? undefined : variableFault(error);
  return fault
    ? { code: 'BAD_USER_INPUT', retryable: false, faults: [fault] }
    : { code: code ?? 'BAD_REQUEST', retryable: false };
}
