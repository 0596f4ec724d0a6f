import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { print } from 'graphql';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { MessageStatusDocument, SendTextMessageDocument } from './generated/operations.ts';
import { transports } from './graphql/both-transports.ts';
import { type HttpPeer, startHttpPeer } from './pingup/support/peers.ts';
import { temporaryDirectory } from './store/sqlite-test-store.ts';
import { type CollectedSpan, type Collector, startCollector } from './support/collector.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { connect, dataOf, execute, subscribe } from './support/graphql-client.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';
const query = print(SendTextMessageDocument);
const input = { client: 'anna', textMessage: 'Hello' };

/** A Pingup that takes everything, as message-1 and so on. */
function startPingup(): Promise<HttpPeer> {
  let taken = 0;
  return startHttpPeer((_request, response) => {
    taken += 1;
    response.end(JSON.stringify({ success: true, data: { message_id: `message-${taken}` } }));
  });
}

function accountAt({ url }: Pick<HttpPeer, 'url'>): Record<string, string> {
  return {
    PINGUP_BASE_URL: url,
    PINGUP_API_KEY: 'key',
    PINGUP_BUSINESS_NAME: 'acme',
    CALLBACK_TOKEN: 'a-callback-token-for-this-test',
  };
}

/** The spans of what a gateway does; it sends the last of them as it stops. */
async function spansOf(
  env: Readonly<Record<string, string>>,
  work: (gateway: TestGateway) => Promise<unknown>,
): Promise<CollectedSpan[]> {
  await using collector = await startCollector();
  {
    await using gateway = await startTestGateway({ env: { ...env, ...collector.env } });
    await work(gateway);
  }
  return collector.spans();
}

function sendOverHttp({ url }: TestGateway, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables: { input } }),
  });
}

/** The only span of this name. */
function only(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const [span, ...others] = spans.filter((each) => each.name === name);
  if (!span || others.length > 0) throw new Error(`not one ${name}: ${JSON.stringify(spans)}`);
  return span;
}

const call = 'POST /{business}/messages';

test('a send is one trace: the request, the send, and the call whose traceparent Pingup gets', async () => {
  await using pingup = await startPingup();
  const spans = await spansOf(accountAt(pingup), (gateway) =>
    sendOverHttp(gateway, { traceparent: `00-${traceId}-${parentId}-01` }),
  );
  const [request, send, post] = ['POST /graphql', 'send', call].map((name) => only(spans, name));
  expect(spans).toHaveLength(3);
  expect(request).toMatchObject({ kind: 'server', traceId, parentId, remoteParent: true, failed: false });
  expect(request?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/graphql',
    'http.response.status_code': 200,
    'graphql.operation.type': 'mutation',
  });
  expect(send).toMatchObject({ kind: 'internal', traceId, parentId: request?.spanId, failed: false });
  expect(send?.attributes).toEqual({
    'messaging.system': 'pingup',
    'messaging.operation.name': 'send',
    'messaging.message.id': 'message-1',
    'pingup.business': 'acme',
    'pingup.replayed': false,
  });
  expect(post).toMatchObject({ kind: 'client', traceId, parentId: send?.spanId, failed: false });
  expect(post?.attributes).toEqual({
    'messaging.system': 'pingup',
    'messaging.operation.name': 'send',
    'messaging.message.id': 'message-1',
    'pingup.business': 'acme',
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'url.template': '/{business}/messages',
    'server.address': '127.0.0.1',
    'server.port': pingup.port,
  });
  expect(pingup.requests[0]?.headers['traceparent']).toBe(`00-${traceId}-${post?.spanId}-01`);
});

test('a send on a socket is a trace of its own, which Pingup gets as well', async () => {
  await using pingup = await startPingup();
  const spans = await spansOf(accountAt(pingup), async ({ url }) => {
    await using client = connect(url);
    await subscribe(client, SendTextMessageDocument, { input }).next();
  });
  const [operation, send, post] = ['mutation', 'send', call].map((name) => only(spans, name));
  expect(operation).toMatchObject({
    kind: 'server',
    parentId: undefined,
    attributes: { 'graphql.operation.type': 'mutation' },
    failed: false,
  });
  expect(send?.parentId).toBe(operation?.spanId);
  expect(post?.parentId).toBe(send?.spanId);
  expect(pingup.requests[0]?.headers['traceparent']).toBe(`00-${post?.traceId}-${post?.spanId}-01`);
});

test('a trace that the caller does not keep is not kept here, and Pingup is told so', async () => {
  await using pingup = await startPingup();
  const spans = await spansOf(accountAt(pingup), (gateway) =>
    sendOverHttp(gateway, { traceparent: `00-${traceId}-${parentId}-00` }),
  );
  expect(spans).toEqual([]);
  expect(pingup.requests[0]?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
});

test('a request without a trace begins one', async () => {
  await using pingup = await startPingup();
  const spans = await spansOf(accountAt(pingup), (gateway) =>
    sendOverHttp(gateway, { traceparent: 'nonsense' }),
  );
  expect(only(spans, 'POST /graphql').parentId).toBeUndefined();
  expect(new Set(spans.map((span) => span.traceId)).size).toBe(1);
});

test('a callback is one trace: the callback, the record, and a push for each watch; it names its send', async () => {
  await using pingup = await startPingup();
  const spans = await spansOf(accountAt(pingup), async (gateway) => {
    const messageId = await gateway.send();
    await using client = connect(gateway.url);
    const watches = [1, 2].map(() => subscribe(client, MessageStatusDocument, { messageId }));
    for (const watch of watches) await watch.next();
    await gateway.callBack({ message_id: messageId, status: 'read' });
    for (const watch of watches) expect(dataOf((await watch.next()).value).messageStatus.status).toBe('READ');
  });
  const [callback, record, send] = ['callback', 'record', 'send'].map((name) => only(spans, name));
  expect(callback).toMatchObject({ kind: 'server', parentId: undefined, failed: false });
  expect(callback?.attributes).toEqual({
    'messaging.system': 'pingup',
    'messaging.operation.name': 'callback',
    'pingup.business': 'acme',
    'pingup.outcome': 'understood',
    'http.request.method': 'POST',
    'http.route': '/callbacks/pingup/{business}',
    'http.response.status_code': 200,
  });
  expect(record).toMatchObject({
    kind: 'internal',
    traceId: callback?.traceId,
    parentId: callback?.spanId,
    links: [send?.spanId],
    failed: false,
  });
  const pushes = spans.filter(({ name }) => name === 'push');
  expect(pushes).toHaveLength(2);
  for (const span of [record, ...pushes])
    expect(span?.attributes).toMatchObject({
      'messaging.message.id': 'message-1',
      'pingup.business': 'acme',
      'messaging.operation.name': span?.name,
    });
  for (const push of pushes) expect(push).toMatchObject({ parentId: record?.spanId, failed: false });
  expect(send?.attributes).toMatchObject({ 'messaging.message.id': 'message-1' });
  expect(spans.filter(({ name }) => name === 'subscription')).toHaveLength(2);
});

test('a callback that speaks of several messages has a record for each', async () => {
  const spans = await spansOf({}, (gateway) =>
    gateway.callBack(['a', 'b'].map((message_id) => ({ message_id, status: 'sent' }))),
  );
  const { spanId } = only(spans, 'callback');
  const records = spans.filter(({ name }) => name === 'record');
  expect(records.map((record) => record.attributes['messaging.message.id'])).toEqual(['a', 'b']);
  expect(records.map((record) => [record.parentId, record.links])).toEqual([
    [spanId, []],
    [spanId, []],
  ]);
});

/** A callback for a message that is watched; its trace is as the header says. */
async function watchedCallback(gateway: TestGateway, traceparent: string): Promise<void> {
  const messageId = await gateway.send();
  await using client = connect(gateway.url);
  const watch = subscribe(client, MessageStatusDocument, { messageId });
  await watch.next();
  await fetch(gateway.callbackUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent },
    body: JSON.stringify({ message_id: messageId, status: 'read' }),
  });
  await watch.next();
}

test('a callback that comes with a trace belongs to it', async () => {
  const spans = await spansOf({}, (gateway) => watchedCallback(gateway, `00-${traceId}-${parentId}-01`));
  expect(only(spans, 'callback')).toMatchObject({ traceId, parentId, remoteParent: true });
  expect(only(spans, 'push')).toMatchObject({ traceId, parentId: only(spans, 'record').spanId });
});

test('of a callback whose trace is not kept, no push is kept either', async () => {
  const spans = await spansOf({}, (gateway) => watchedCallback(gateway, `00-${traceId}-${parentId}-00`));
  expect(spans.map(({ name }) => name)).not.toContain('push');
  expect(spans.map(({ traceId }) => traceId)).not.toContain(traceId);
});

test('nothing is kept of a callback without the token', async () => {
  const spans = await spansOf({}, async ({ url }) => {
    const answer = await fetch(`${url}/callbacks/pingup/acme/guess`, { method: 'POST' });
    expect(answer.status).toBe(401);
  });
  expect(spans).toEqual([]);
});

test('of a callback that is not recorded, the trace says why', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'gateway.db');
  const spans = await spansOf({ STORE_URL: `sqlite:${path}` }, async (gateway) => {
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    expect((await gateway.callBack({ message_id: 'a', status: 'sent' })).status).toBe(503);
    other.exec('ROLLBACK');
  });
  expect(only(spans, 'record')).toMatchObject({
    failed: true,
    attributes: { 'error.type': 'STORE_UNAVAILABLE', 'messaging.message.id': 'a' },
  });
  expect(only(spans, 'callback')).toMatchObject({
    failed: true,
    attributes: { 'error.type': 'notRecorded', 'http.response.status_code': 503 },
  });
});

test.each(transports)('over %s, the spans of what failed carry the code', async (_transport, run) => {
  await using pingup = await startHttpPeer((_request, response) => response.writeHead(400).end());
  const spans = await spansOf(accountAt(pingup), async (gateway) => {
    await run(gateway, query, { input });
    await run(gateway, query, { input: { textMessage: '' } });
    await run(gateway, 'mutation { nothing }');
    await run(gateway, '{');
  });
  const codes = (names: readonly string[]) =>
    spans
      .filter(({ name, failed }) => names.includes(name) && failed)
      .map(({ attributes }) => attributes['error.type']);
  expect(codes([call])).toEqual(['PINGUP_REJECTED']);
  expect(only(spans, call).attributes).toMatchObject({ 'http.response.status_code': 400 });
  expect(codes(['send'])).toEqual(['PINGUP_REJECTED', 'BAD_USER_INPUT']);
  expect(codes(['POST /graphql', 'mutation', 'GraphQL Operation'])).toEqual([
    'PINGUP_REJECTED',
    'BAD_USER_INPUT',
    'GRAPHQL_VALIDATION_FAILED',
    'GRAPHQL_PARSE_FAILED',
  ]);
});

test('a Pingup that cannot be reached is a failed call for each try', async () => {
  const closed = createServer();
  await once(closed.listen(0, '127.0.0.1'), 'listening');
  const address = closed.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  closed.close();
  const env = { ...accountAt({ url: `http://127.0.0.1:${port}` }), PINGUP_TIMEOUT_MS: '200' };
  const spans = await spansOf(env, (gateway) => sendOverHttp(gateway));
  const calls = spans.filter(({ name }) => name === call);
  expect(calls.length).toBeGreaterThan(1);
  for (const span of [...calls, only(spans, 'send')])
    expect(span).toMatchObject({ failed: true, attributes: { 'error.type': 'PINGUP_UNAVAILABLE' } });
});

test('a repeat that sends nothing says so, and has no call', async () => {
  await using pingup = await startPingup();
  const spans = await spansOf(accountAt(pingup), async (gateway) => {
    const twice = { ...input, idempotencyKey: 'one' };
    for (let count = 0; count < 2; count += 1) await gateway.send(twice);
  });
  const sends = spans.filter(({ name }) => name === 'send');
  expect(sends.map(({ attributes }) => attributes['pingup.replayed'])).toEqual([false, true]);
  expect(sends.map(({ attributes }) => attributes['messaging.message.id'])).toEqual([
    'message-1',
    'message-1',
  ]);
  only(spans, call);
});

test('a collector that is down delays and fails nothing, and costs one line of the log at most', async () => {
  const down = await startCollector();
  await down[Symbol.asyncDispose]();
  await using pingup = await startPingup();
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  {
    await using gateway = await startTestGateway({ env: { ...accountAt(pingup), ...down.env }, log });
    const messageId = await gateway.send();
    expect((await gateway.callBack({ message_id: messageId, status: 'read' })).status).toBe(200);
  }
  expect(lines.filter((line) => line.includes('traces cannot be exported')).length).toBeLessThanOrEqual(1);
  expect(lines.filter((line) => /"level":50/.test(line))).toEqual([]);
});

/** Names the modules of OpenTelemetry's SDK that the process loads, on stderr. */
const tellLoads = `import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    if (/opentelemetry.(sdk|exporter)/.test(url)) process.stderr.write('loads ' + url);
    return next(url, context);
  },
});`;

function gatewayProcess(directory: { readonly path: string }, env: Readonly<Record<string, string>>) {
  return startGatewayProcess(
    { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tellLoads)}`, ...env },
    directory.path,
  );
}

test('without an endpoint nothing of it is loaded, and a traceparent goes to Pingup as it came', async () => {
  await using directory = await temporaryDirectory();
  await using pingup = await startPingup();
  const traceparent = `00-${traceId}-${parentId}-01`;
  {
    await using gateway = await gatewayProcess(directory, accountAt(pingup));
    await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent },
      body: JSON.stringify({ query, variables: { input } }),
    });
    expect(gateway.output()).not.toContain('loads ');
  }
  expect(pingup.requests[0]?.headers['traceparent']).toBe(traceparent);
  await using collector = await startCollector();
  await using gateway = await gatewayProcess(directory, { ...accountAt(pingup), ...collector.env });
  expect(gateway.output()).toContain('loads ');
});

test.each<[string, Collector['env'] | undefined]>([
  ['refuses connections', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }],
  ['never answers', undefined],
])('SIGTERM while the collector %s: exit 0', async (_how, env) => {
  await using directory = await temporaryDirectory();
  await using silent = await startCollector(() => new Promise<number>(() => undefined));
  await using gateway = await startGatewayProcess({ ...silent.env, ...env }, directory.path);
  await execute(gateway.url, SendTextMessageDocument, { input });
  expect(await gateway.end('SIGTERM')).toEqual([0, null]);
});
