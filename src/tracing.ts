import { GatewayError, type GatewayErrorCode } from './errors.ts';
import { traceparentOf } from './traceparent.ts';

/**
 * Traces: what was done for one request, as spans that belong to one another. A span is handed on as the value of a
 * W3C `traceparent` header, inside the gateway as between programs.
 *
 * No name and no attribute holds anything of a person, nor anything that a caller can choose.
 */
export interface Tracing {
  start(span: NewSpan): Span;
}

export interface NewSpan {
  /** One of a few: traces are grouped by it. */
  readonly name: string;
  /** `server` answers the outside, `client` asks it, and `internal` does neither. */
  readonly kind: SpanKind;
  /** The span that it belongs to, as a valid `traceparent`; undefined: it is the first of its trace. */
  readonly parent: string | undefined;
  readonly attributes?: SpanAttributes;
}

export type SpanKind = 'server' | 'client' | 'internal';

/** By the names of OpenTelemetry's semantic conventions, where they have one. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface Span {
  readonly traceparent: string;
  /** False: it is not kept, and nothing that belongs to it is either. What is set on it is best not even made. */
  readonly sampled: boolean;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** Names a span of another trace that it has to do with, by its `traceparent`. */
  link(traceparent: string): void;
  /** Ends it, once; as failed where `errorType` says why. */
  end(errorType?: string): void;
}

/** Where no traces are kept: what belongs to a request is handed on as it came. */
export const untraced: Tracing = {
  start: ({ parent }) => ({
    traceparent: parent ?? traceparentOf(undefined),
    sampled: false,
    rename: nothing,
    set: nothing,
    link: nothing,
    end: nothing,
  }),
};

function nothing(): void {}

/** Does work in a span, which ends as the work does. */
export async function inSpan<T>(
  span: Span,
  work: () => Promise<T>,
  typeOf: (error: unknown) => string = errorTypeOf,
): Promise<T> {
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    span.end(typeOf(error));
    throw error;
  }
}

/** INTERNAL_SERVER_ERROR is what a caller is told of an error without a code of its own. */
export function errorTypeOf(error: unknown): GatewayErrorCode | 'INTERNAL_SERVER_ERROR' {
  return error instanceof GatewayError ? error.code : 'INTERNAL_SERVER_ERROR';
}

/** What is done with a message of this business. */
export function operationAttributes(operation: string, business: string): SpanAttributes {
  return {
    'messaging.system': 'pingup',
    'messaging.operation.name': operation,
    'pingup.business': business,
  };
}

/** By which the trace of a send and those of its callbacks are found together. */
export function idAttribute(messageId: string): SpanAttributes {
  return { 'messaging.message.id': messageId };
}
