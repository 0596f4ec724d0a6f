import {
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  OperationTypeNode,
} from 'graphql';
import { makeServer, type SubscribePayload } from 'graphql-ws';
import type { Authenticate } from '../caller.ts';
import { GatewayError, type GatewayErrorCode } from '../errors.ts';
import type { Tracing } from '../tracing.ts';
import type { SharedContext } from './context.ts';
import { type DescribeError, describeErrors } from './describe-error.ts';
import type { OperationRunner } from './operation-runner.ts';
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
  readonly runner: OperationRunner;
  readonly context: SharedContext;
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
  const { runner, context, describeError, authenticate, tracing, subscriptionMs, initMs = 3_000 } = options;
  const callers = authenticate && createSocketCallers(authenticate);
  const contextOf = createSocketContexts(context, authenticate !== null);
  const lifetimes = createSubscriptionLifetimes(subscriptionMs);

  async function begin(socket: SocketOperations, payload: SubscribePayload) {
    if (closeIfExpired(socket)) return [fault('UNAUTHENTICATED', 'The token has expired.')];
    if (socket.running.size >= maxOperations) return [tooManyOperations()];
    const { args, operation, errors } = runner.prepare(
      runner.check(payload.query),
      payload,
      contextOf(socket),
    );
    if (errors) return errors;
    beginOperation(socket, payload);
    const mayRun = operation.operation !== OperationTypeNode.QUERY || (await takeTurn(socket, payload));
    return mayRun ? args : [tooManyOperations()];
  }

  function describeResult(
    data: ExecutionResult['data'],
    errors: readonly GraphQLError[],
  ): FormattedExecutionResult {
    return { ...(data !== undefined && { data }), errors: describeErrors(errors, describeError) };
  }

  const protocol: ProtocolOptions = {
    schema: runner.schema,
    connectionInitWaitTimeout: initMs,
    onConnect: (socket) => {
      const authorization = socket.connectionParams?.['authorization'];
      // graphql-ws would keep it as long as the socket lives: up to 64 KiB, and a secret.
      Object.assign(socket, { connectionParams: undefined });
      return callers?.admit(socket.extra, authorization);
    },
    execute: runner.execute,
    subscribe: runner.subscribe,
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
    onError: (_socket, _id, _payload, errors) => describeErrors(errors, describeError),
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

function isSubscription(result: object): result is AsyncGenerator<unknown> {
  return Symbol.asyncIterator in result && 'return' in result;
}
