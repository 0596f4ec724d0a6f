import {
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { makeServer, type SubscribePayload } from 'graphql-ws';
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';
import { describeError } from './describe-error.ts';
import { createDocumentCache } from './document-cache.ts';
import type { GatewayContext } from './message-resolver.ts';
import type { GraphqlProtocol } from './websocket-server.ts';

export interface WebsocketProtocolOptions {
  readonly schema: GraphQLSchema;
  readonly context: GatewayContext;
  readonly log: Logger;
}

/** Operations that one socket may have under way at once. What a reader that stopped can cost is bounded by it. */
export const maxOperations = 100;

function tooManyOperations(): GraphQLError {
  const message = `One socket may have ${maxOperations} operations under way at once.`;
  return new GraphQLError(message, { originalError: new GatewayError('TOO_MANY_OPERATIONS', message) });
}

/** graphql-transport-ws with the rules of the HTTP side: the same documents, context, errors. */
export function createWebsocketProtocol(options: WebsocketProtocolOptions): GraphqlProtocol {
  const { schema, context, log } = options;
  const check = createDocumentCache(schema);

  function prepare(payload: SubscribePayload): ExecutionArgs | readonly GraphQLError[] {
    const checked = check(payload.query);
    if (!('kind' in checked)) return checked;
    const { variables, operationName } = payload;
    return {
      schema,
      document: checked,
      contextValue: context,
      variableValues: variables ?? null,
      operationName: operationName ?? null,
    };
  }

  return makeServer({
    schema,
    onSubscribe: ({ subscriptions }, _id, payload) =>
      Object.keys(subscriptions).length > maxOperations ? [tooManyOperations()] : prepare(payload),
    onNext: (_socket, _id, _payload, _args, { data, errors }) => errors && describeResult(data, errors, log),
    onError: (_socket, _id, _payload, errors) => errors.map((error) => describeError(error, log)),
  });
}

function describeResult(
  data: ExecutionResult['data'],
  errors: readonly GraphQLError[],
  log: Logger,
): FormattedExecutionResult {
  return { ...(data !== undefined && { data }), errors: errors.map((error) => describeError(error, log)) };
}
