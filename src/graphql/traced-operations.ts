import { getOperationAST } from 'graphql';
import type { ConnectionInitMessage, ServerOptions } from 'graphql-ws';
import type { Span, Tracing } from '../tracing.ts';
import type { GatewayContext } from './context.ts';
import type { SocketOperations } from './socket-operations.ts';
import { codeOf } from './traced-requests.ts';

/** What graphql-ws is told of a gateway's sockets. */
export type ProtocolOptions = ServerOptions<ConnectionInitMessage['payload'], SocketOperations>;
type Hook<Name extends keyof ProtocolOptions> = NonNullable<ProtocolOptions[Name]>;

/**
 * The options of graphql-ws with a span for each operation on a socket, the first of its trace: until its result, or
 * until a subscription has begun. It ends as failed with the code of the first error.
 */
export function traceOperations(options: ProtocolOptions, tracing: Tracing): ProtocolOptions {
  /** By the operation's payload, until they end. */
  const spans = new WeakMap<object, Span>();

  function end(operation: object, errorType?: string): void {
    spans.get(operation)?.end(errorType);
    spans.delete(operation);
  }

  const onSubscribe: Hook<'onSubscribe'> = async (context, id, payload) => {
    const span = tracing.start({ name: 'GraphQL Operation', kind: 'server', parent: undefined });
    spans.set(payload, span);
    const begun = await options.onSubscribe?.(context, id, payload);
    if (!begun || !('document' in begun)) return begun;
    const type = getOperationAST(begun.document, begun.operationName)?.operation ?? 'query';
    span.rename(type);
    span.set({ 'graphql.operation.type': type });
    const contextValue = begun.contextValue as GatewayContext;
    return { ...begun, contextValue: { ...contextValue, traceparent: span.traceparent } };
  };

  const onOperation: Hook<'onOperation'> = (context, id, payload, args, result) => {
    if (Symbol.asyncIterator in result) end(payload);
    return options.onOperation?.(context, id, payload, args, result);
  };

  const onNext: Hook<'onNext'> = async (context, id, payload, args, result) => {
    const told = await options.onNext?.(context, id, payload, args, result);
    end(payload, told ? codeOf(told.errors) : undefined);
    return told;
  };

  const onError: Hook<'onError'> = async (context, id, payload, errors) => {
    const told = await options.onError?.(context, id, payload, errors);
    end(payload, told ? codeOf(told) : undefined);
    return told;
  };

  /** Whoever left before the result. */
  const onComplete: Hook<'onComplete'> = (context, id, payload) => {
    end(payload);
    return options.onComplete?.(context, id, payload);
  };

  return { ...options, onSubscribe, onOperation, onNext, onError, onComplete };
}
