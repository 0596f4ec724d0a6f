import {
  type Span as OtelSpan,
  SpanKind as OtelSpanKind,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { type NewSpan, type Span, type Tracing, untraced } from './tracing.ts';
import type { TracingConfig } from './tracing-variables.ts';

/** How long the last spans may take to leave. */
const flushMs = 2_000;
/** Spans that wait to leave; what comes while they are that many is dropped. */
const maxWaiting = 2_048;
/** Characters of an attribute: nothing of ours has more but by somebody's ill will. */
const maxValueCharacters = 256;

/**
 * Traces by OpenTelemetry, which leave in batches behind everybody's back: a collector that is slow or down costs
 * spans, and one line of the log. Nothing is registered globally, so no library finds out that there are traces.
 * Disposing of it sends what waits, for 2 s at most, however often it is asked to.
 */
export function startOtelTracing(
  config: TracingConfig,
  log: Pick<Logger, 'info' | 'warn'>,
): Tracing & AsyncDisposable {
  const { url, headers, resource } = config;
  const exporter = reportExports(new OTLPTraceExporter({ url, headers }), log);
  const provider = new TracerProvider({
    sampler: samplerOf(config),
    resource: defaultResource().merge(resourceFromAttributes(resource)),
    spanLimits: { attributeValueLengthLimit: maxValueCharacters },
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: maxWaiting })],
  });
  const tracer = provider.getTracer('pingup-gateway');
  const followsParent = config.sampler.startsWith('parentbased_');
  const shareOfRoots = shareOf(config);
  let ended: Promise<void> | undefined;

  /** What is not sampled costs nothing but its place in a trace: no attribute of it is looked at. */
  function start(span: NewSpan): Span {
    const { name, kind, parent, attributes = {} } = span;
    if (followsParent && !isWanted(parent)) return untraced.start(span);
    // What comes from outside belongs to a span of somebody else.
    const context =
      parent === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, contextOf(parent, kind === 'server'));
    const started = tracer.startSpan(name, { kind: kinds[kind] }, context);
    const traceparent = traceparentFor(started.spanContext());
    if (!started.isRecording()) return untraced.start({ ...span, parent: traceparent });
    started.setAttributes(attributes);
    return viewSpan(started, traceparent);
  }

  /** Where children follow their parent, as good as a choice by the trace's id, and without the cost of a span. */
  function isWanted(parent: string | undefined): boolean {
    return parent === undefined ? Math.random() < shareOfRoots : isSampled(parent);
  }

  function end(): Promise<void> {
    ended ??= within(flushMs, provider.shutdown());
    return ended;
  }

  return { start, [Symbol.asyncDispose]: end };
}

const kinds = {
  server: OtelSpanKind.SERVER,
  client: OtelSpanKind.CLIENT,
  internal: OtelSpanKind.INTERNAL,
};

/** The parts of a valid `traceparent` in version 00, which stand at fixed places. */
function contextOf(traceparent: string, isRemote: boolean): SpanContext {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: flagsOf(traceparent),
    isRemote,
  };
}

function flagsOf(traceparent: string): number {
  return Number.parseInt(traceparent.slice(53), 16);
}

function isSampled(traceparent: string): boolean {
  return (flagsOf(traceparent) & TraceFlags.SAMPLED) !== 0;
}

function traceparentFor({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? '00' : '01'}`;
}

function viewSpan(span: OtelSpan, traceparent: string): Span {
  return {
    traceparent,
    sampled: true,
    rename: (name) => void span.updateName(name),
    set: (attributes) => void span.setAttributes(attributes),
    link: (other) => void span.addLink({ context: contextOf(other, false) }),
    end(errorType) {
      if (errorType !== undefined)
        span.setAttribute('error.type', errorType).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function samplerOf(config: TracingConfig): Sampler {
  // What gets that far is wanted.
  if (config.sampler.startsWith('parentbased_')) return new AlwaysOnSampler();
  return new TraceIdRatioBasedSampler(shareOf(config));
}

/** Of the traces that begin here, how many are kept: 0 to 1. */
function shareOf({ sampler, ratio }: TracingConfig): number {
  if (sampler.endsWith('always_on')) return 1;
  return sampler.endsWith('always_off') ? 0 : ratio;
}

/** Says once that spans are lost, and once that they arrive again, however many there are between. */
function reportExports(exporter: SpanExporter, log: Pick<Logger, 'info' | 'warn'>): SpanExporter {
  let down = false;

  function report(error: Error | undefined, failed: boolean): void {
    if (failed && !down) log.warn({ err: error }, 'traces cannot be exported, and are dropped');
    if (!failed && down) log.info('traces are exported again');
    down = failed;
  }

  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        report(result.error, result.code !== 0);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

/** Waits for work, whatever comes of it, so many milliseconds at most. */
async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise: tooLong, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work.catch(() => undefined), tooLong]);
  clearTimeout(timer);
}
