import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';

/** A collector of traces that takes OTLP over HTTP, as JSON. */
export interface Collector extends AsyncDisposable {
  /** For a gateway whose traces come here. */
  readonly env: { readonly OTEL_EXPORTER_OTLP_ENDPOINT: string };
  /** How many exports have arrived. */
  readonly exports: number;
  /** All that has arrived, as it came, headers included. */
  received(): string;
  /** What the exports said, without their headers. */
  bodies(): string;
  /** Every span that has arrived, in the order of their ends. */
  spans(): CollectedSpan[];
  /** What the spans said of the service. */
  resource(): Readonly<Record<string, unknown>>;
}

export interface CollectedSpan {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined: it is the first of its trace. */
  readonly parentId: string | undefined;
  /** Whether its parent is a span of somebody else. */
  readonly remoteParent: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  /** The ids of the spans of other traces that it names. */
  readonly links: readonly string[];
}

/** `answer` gives the status of each export. */
export async function startCollector(answer: () => number | Promise<number> = () => 200): Promise<Collector> {
  const bodies: string[] = [];
  let received = '';
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    received += `${request.url} ${JSON.stringify(request.headers)} ${body}\n`;
    bodies.push(body);
    response.writeHead(await answer(), { 'content-type': 'application/json' }).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const requests = () => bodies.flatMap((body) => (JSON.parse(body) as ExportRequest).resourceSpans);
  return {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    get exports() {
      return bodies.length;
    },
    received: () => received,
    bodies: () => bodies.join('\n'),
    spans: () => requests().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(view))),
    resource: () => read(requests().at(-1)?.resource.attributes ?? []),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

interface Attribute {
  readonly key: string;
  /** One of stringValue, intValue and so on. */
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number };
  readonly links: readonly { readonly spanId: string }[];
}

const kinds = ['internal', 'server', 'client'] as const;

function view({ kind, parentSpanId, flags, attributes, status, links, ...span }: OtlpSpan): CollectedSpan {
  return {
    name: span.name,
    traceId: span.traceId,
    spanId: span.spanId,
    kind: kinds[kind - 1] ?? 'internal',
    parentId: parentSpanId,
    remoteParent: (flags & 0x200) !== 0,
    attributes: read(attributes),
    failed: status.code === 2,
    links: links.map(({ spanId }) => spanId),
  };
}

function read(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
