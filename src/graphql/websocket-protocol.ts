import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
  subscribe,
  type ValidationRule,
} from 'graphql';
import { makeServer, type SubscribePayload } from 'graphql-ws';
import type { Authenticate } from '../caller.ts';
import { GatewayError, type GatewayErrorCode } from '../errors.ts';
import type { Tracing } from '../tracing.ts';
import type { SharedContext } from './context.ts';
import type { DescribeError } from './describe-error.ts';
import { createDocumentCache } from './document-cache.ts';
import { closeIfExpired, createSocketCallers } from './socket-callers.ts';
import { createSocketContexts } from './socket-contexts.ts';
import {
  beginOperation,
  closeOperations,
  endOperation,
  type SocketOperations,
  takeTurn,
} from './socket-operations.ts';
import { createSubscriptionLifetimes } from './subscription-lifetimes.ts';
import { type ProtocolOptions, traceOperations } from './traced-operations.ts';
import type { GraphqlProtocol } from './websocket-socket.ts';

export interface WebsocketProtocolOptions {
  readonly schema: GraphQLSchema;
  readonly context: SharedContext;
  /** Besides graphql-js's own. */
  readonly rules: readonly ValidationRule[];
  readonly describeError: DescribeError;
  /** Null: nobody is asked who they are. */
  readonly authenticate: Authenticate | null;
  /** Null: there are no traces. */
  readonly tracing: Tracing | null;
  /** How long a subscription may run before it completes. */
  readonly subscriptionMs: number;
  /** How long a socket may take over its connection_init. */
  readonly initMs?: number;
}

/** Operations that one socket may have under way at once. What a reader that stopped can cost is bounded by it. */
export const maxOperations = 100;

function tooManyOperations(): GraphQLError {
  return fault('TOO_MANY_OPERATIONS', `One socket may have ${maxOperations} operations under way at once.`);
}

function fault(code: GatewayErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { originalError: new GatewayError(code, message) });
}

/**
 * graphql-transport-ws with the rules of the HTTP side: the same documents, context, errors. Whatever goes wrong in
 * one operation ends that operation alone.
 *
 * where callers are asked: no valid token in connection_init, or not any more 4403 | its keys cannot be had 1013
 */
export function createWebsocketProtocol(options: WebsocketProtocolOptions): GraphqlProtocol & Disposable {
  const {
    schema,
    context,
    rules,
    describeError,
    authenticate,
    tracing,
    subscriptionMs,
    initMs = 3_000,
  } = options;
  const callers = authenticate && createSocketCallers(authenticate);
  const contextOf = createSocketContexts(context, authenticate !== null);
  const check = createDocumentCache(schema, rules);
  const lifetimes = createSubscriptionLifetimes(subscriptionMs);

  function prepare(
    socket: SocketOperations,
    { query, variables, operationName }: SubscribePayload,
  ): Prepared {
    const checked = check(query);
    if (!('kind' in checked)) return { errors: checked };
    const operation = getOperationAST(checked, operationName)?.operation;
    if (!operation) return { errors: [unknownOperation(operationName)] };
    const args: ExecutionArgs = {
      schema,
      document: checked,
      contextValue: contextOf(socket),
      variableValues: variables ?? null,
      operationName: operationName ?? null,
    };
    return { args, operation };
  }

  async function begin(socket: SocketOperations, payload: SubscribePayload) {
    if (closeIfExpired(socket)) return [fault('UNAUTHENTICATED', 'The token has expired.')];
    if (socket.running.size >= maxOperations) return [tooManyOperations()];
    const { args, operation, errors } = prepare(socket, payload);
    if (errors) return errors;
    beginOperation(socket, payload);
    const mayRun = operation !== OperationTypeNode.QUERY || (await takeTurn(socket, payload));
    return mayRun ? args : [tooManyOperations()];
  }

  function describeResult(
    data: ExecutionResult['data'],
    errors: readonly GraphQLError[],
  ): FormattedExecutionResult {
    return { ...(data !== undefined && { data }), errors: errors.map(describeError) };
  }

  const protocol: ProtocolOptions = {
    schema,
    connectionInitWaitTimeout: initMs,
    onConnect: (socket) => {
      const authorization = socket.connectionParams?.['authorization'];
      // graphql-ws would keep it as long as the socket lives: up to 64 KiB, and a secret.
      Object.assign(socket, { connectionParams: undefined });
      return callers?.admit(socket.extra, authorization);
    },
    execute: (args) => contain(() => execute(args)),
    subscribe: (args) => contain(() => subscribe(args)),
    onSubscribe: ({ extra }, _id, payload) => begin(extra, payload),
    onOperation: (_socket, _id, payload, _args, result) => {
      if (isSubscription(result)) lifetimes.begin(payload, result);
    },
    onComplete: ({ extra }, _id, payload) => {
      lifetimes.end(payload);
      endOperation(extra, payload);
    },
    onClose: ({ extra }) => {
      callers?.leave(extra);
      for (const operation of closeOperations(extra)) lifetimes.stop(operation);
    },
    onNext: (_socket, _id, _payload, _args, { data, errors }) => errors && describeResult(data, errors),
    onError: (_socket, _id, _payload, errors) => errors.map(describeError),
  };
  const server = makeServer(tracing ? traceOperations(protocol, tracing) : protocol);
  return {
    ...server,
    [Symbol.dispose]: () => {
      lifetimes[Symbol.dispose]();
      callers?.[Symbol.dispose]();
    },
  };
}

/** An operation that may begin, or why it may not. */
type Prepared =
  | { readonly args: ExecutionArgs; readonly operation: OperationTypeNode; readonly errors?: undefined }
  | { readonly args?: undefined; readonly operation?: undefined; readonly errors: readonly GraphQLError[] };

function unknownOperation(name: string | null | undefined): GraphQLError {
  const message =
    name != null
      ? `Unknown operation named "${name}".`
      : 'Must provide operation name if query contains multiple operations.';
  return new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } });
}

/** graphql-js throws what is no fault of the request, and graphql-ws would end the socket with it. */
async function contain<T>(run: () => Promise<T> | T): Promise<T | ExecutionResult> {
  try {
    return await run();
  } catch (error) {
    const originalError = error instanceof Error ? error : new Error(String(error));
    return { errors: [new GraphQLError(originalError.message, { originalError })] };
  }
}

function isSubscription(result: object): result is AsyncGenerator<unknown> {
  return Symbol.asyncIterator in result && 'return' in result;
}
