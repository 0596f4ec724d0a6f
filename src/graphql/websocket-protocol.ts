import {
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  OperationTypeNode,
} from 'graphql';
import { makeServer, type SubscribePayload } from 'graphql-ws';
import type { Authenticate } from '../caller.ts';
import { GatewayError, type GatewayErrorCode } from '../errors.ts';
import type { RequestLimit } from '../request-limit.ts';
import type { Tracing } from '../tracing.ts';
import type { SharedContext } from './context.ts';
import { type DescribeError, describeErrors } from './describe-error.ts';
import { DescribedError } from './described-error.ts';
import { createOperationBudget, type OperationLimits } from './operation-budget.ts';
import { OperationPayload } from './operation-payload.ts';
import type { OperationRunner, PreparedOperation } from './operation-runner.ts';
import { checkSubscriptionVariables } from './operation-variables.ts';
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
import { SubscriptionResults } from './subscription-results.ts';
import { type ProtocolOptions, traceOperations } from './traced-operations.ts';
import type { GraphqlProtocol } from './websocket-socket.ts';

export interface WebsocketProtocolOptions {
  readonly runner: OperationRunner;
  readonly context: SharedContext;
  readonly describeError: DescribeError;
  /** Null: authentication is disabled. */
  readonly authenticate: Authenticate | null;
  /** Null: there are no traces. */
  readonly tracing: Tracing | null;
  /** How long a subscription may run before it completes. */
  readonly subscriptionMs: number;
  /** Counts what is no subscription. */
  readonly limitRequests: RequestLimit;
  /** How long a socket may take over its connection_init. */
  readonly initMs?: number;
  readonly operationLimits?: OperationLimits;
}

/** Operations that one socket may have under way at once. */
export const maxOperations = 100;
function tooManyOperations(): GraphQLError {
  return fault('TOO_MANY_OPERATIONS', `One socket may have ${maxOperations} operations under way at once.`);
}

function noRoom(): GraphQLError {
  return fault(
    'TOO_MANY_OPERATIONS',
    'The running operations of all sockets fill the room there is for them.',
  );
}

function fault(code: GatewayErrorCode, message: string): GraphQLError {
  return toGraphqlError(new GatewayError(code, message));
}

function toGraphqlError(originalError: GatewayError): GraphQLError {
  return new GraphQLError(originalError.message, { originalError });
}

/**
 * graphql-transport-ws with the rules of the HTTP side: the same documents, context, errors. Whatever goes wrong in
 * one operation ends that operation alone.
 *
 * where callers are asked: no valid token in connection_init, or not any more 4403 | its keys cannot be had 1013
 */
export function createWebsocketProtocol(options: WebsocketProtocolOptions): GraphqlProtocol & Disposable {
  const {
    runner,
    context,
    describeError,
    authenticate,
    tracing,
    subscriptionMs,
    limitRequests,
    initMs = 3_000,
  } = options;
  const callers = authenticate && createSocketCallers(authenticate);
  const contextOf = createSocketContexts(context, authenticate !== null);
  const lifetimes = createSubscriptionLifetimes(subscriptionMs);
  const budget = createOperationBudget(options.operationLimits);

  async function begin(socket: SocketOperations, payload: SubscribePayload) {
    if (!(payload instanceof OperationPayload)) throw new TypeError('an operation came past its frame');
    const request = payload.take();
    if (closeIfExpired(socket)) return [fault('UNAUTHENTICATED', 'The token has expired.')];
    if (socket.running.size >= maxOperations) return [tooManyOperations()];
    const prepared = runner.prepare(runner.check(request.query), request, contextOf(socket));
    const refusal = refuse(socket, prepared);
    if (refusal) return [toGraphqlError(refusal)];
    if (prepared.errors)
      return describeErrors(prepared.errors, describeError).map((error) => new DescribedError(error));
    return start(socket, payload, prepared);
  }

  /** A client gives up a subscription that is refused, so those are not counted. */
  function refuse({ address }: SocketOperations, prepared: PreparedOperation): GatewayError | undefined {
    const isSubscription = !prepared.errors && isOf(prepared, OperationTypeNode.SUBSCRIPTION);
    return isSubscription ? checkSubscriptionVariables(prepared.args.variableValues) : limitRequests(address);
  }

  async function start(socket: SocketOperations, payload: OperationPayload, runnable: Runnable) {
    const characters = isOf(runnable, OperationTypeNode.SUBSCRIPTION) ? 0 : payload.variableCharacters;
    if (!budget.begin(payload, runnable.args.document, characters)) return [noRoom()];
    beginOperation(socket, payload);
    const mayRun = !isOf(runnable, OperationTypeNode.QUERY) || (await takeTurn(socket, payload));
    if (mayRun) return runnable.args;
    budget.end(payload);
    return [tooManyOperations()];
  }

  function described(error: unknown): GraphQLFormattedError {
    return error instanceof DescribedError ? error.described : describeError(error);
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
    onOperation: ({ extra }, _id, payload, _args, result) => {
      if (!(result instanceof SubscriptionResults)) return;
      result.waitFor(extra.floor);
      lifetimes.begin(payload, result);
    },
    onComplete: ({ extra }, _id, payload) => {
      lifetimes.end(payload);
      budget.end(payload);
      endOperation(extra, payload);
    },
    onClose: ({ extra }) => {
      callers?.leave(extra);
      for (const operation of closeOperations(extra)) lifetimes.stop(operation);
    },
    onNext: (_socket, _id, _payload, _args, { data, errors }) => errors && describeResult(data, errors),
    onError: (_socket, _id, _payload, errors) => describeErrors(errors, described),
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

type Runnable = Extract<PreparedOperation, { readonly errors?: undefined }>;

function isOf({ operation }: Runnable, type: OperationTypeNode): boolean {
  return operation.operation === type;
}
