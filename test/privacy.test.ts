import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text as textOf } from 'node:stream/consumers';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { sandboxClients } from '../src/sandbox/clients.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { MessageDocument, MessageStatusDocument, SendTextMessageDocument } from './generated/operations.ts';
import { apiKeyEntry, writeApiKeys } from './support/api-keys.ts';
import { startCollector } from './support/collector.ts';
import { type GatewayProcess, startGatewayProcess } from './support/gateway-process.ts';
import { connect, execute, subscribe } from './support/graphql-client.ts';
import { audience, type Claims, issuer, validClaims } from './support/signer.ts';

/** Repeated, so that a piece of one is found as well. The number is whole or nothing: many numbers are digits. */
const token = 'zqtokn'.repeat(5);
const apiKey = 'zqakey'.repeat(4);
const textMessage = 'zqtext'.repeat(5);
const clientName = 'zqname'.repeat(3);
const clientPhone = '393317755331';
const collectorKey = 'zqckey'.repeat(4);
const secrets = ['zqtokn', 'zqakey', 'zqckey'];
const privacies = [...secrets, 'zqtext', 'zqname', clientPhone];

/** Every span there is, so that each of them was searched. */
const spanNames = [
  'POST /graphql',
  'GET /graphql',
  'GraphQL Operation',
  'mutation',
  'subscription',
  'send',
  'POST /{business}/messages',
  'callback',
  'record',
  'push',
];

interface Setting extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  readonly path: string;
  readonly callbackUrl: string;
}

/** The built gateway with an account at `baseUrl`, at its most talkative. */
async function startGateway(baseUrl: string, env: Readonly<Record<string, string>> = {}): Promise<Setting> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const path = join(directory, 'gateway.db');
  const gateway = await startGatewayProcess({
    PINGUP_BASE_URL: baseUrl,
    PINGUP_BUSINESS_NAME: 'acme',
    PINGUP_API_KEY: apiKey,
    PINGUP_TIMEOUT_MS: '1000',
    CALLBACK_TOKEN: token,
    STORE_URL: `sqlite:${path}`,
    LOG_LEVEL: 'trace',
    ...env,
  });
  return {
    gateway,
    path,
    callbackUrl: `${gateway.url}/callbacks/pingup/acme/${token}`,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

/** A Pingup whose answers and broken answers repeat all that it was told. */
async function startParrot() {
  const server = createServer(async (request, response) => {
    const told = `${request.url} ${request.headers.authorization} ${await textOf(request)}`;
    if (told.includes('"client":"broken"')) response.socket?.end(`HTTP/1.1 ${told}\r\n\r\n`);
    else
      response.end(
        told.includes('"client":"prose"') ? told.slice(told.indexOf('zq')) : `{"success": "${told}`,
      );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function send({ gateway }: Setting, client: string) {
  const input = { client, textMessage, clientName, clientPhone: `+${clientPhone}` };
  return execute(gateway.url, SendTextMessageDocument, { input });
}

function call(url: string, body: string, method = 'POST'): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url, method === 'GET' ? { headers } : { method, headers, body });
}

/** Whole answers, headers included, as text. */
async function answersOf(requests: readonly Promise<Response>[]): Promise<string> {
  const answers = await Promise.all(requests);
  const texts = answers.map(
    async (answer) => `${JSON.stringify([...answer.headers])} ${await answer.text()}`,
  );
  return (await Promise.all(texts)).join('\n');
}

/** What comes back for bytes that are no request. */
async function rawAnswer({ gateway }: Setting, bytes: string): Promise<string> {
  const { port, hostname } = new URL(gateway.url);
  const socket = connectTcp(Number(port), hostname);
  socket.end(bytes);
  return textOf(socket);
}

/** Requests of the sender's own that the gateway cannot take, each with something private in the wrong place. */
function wrongRequests({ gateway: { url } }: Setting): Promise<Response>[] {
  const graphql = `${url}/graphql`;
  const mutation =
    'mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) { message { id } } }';
  const withInput = (input: object) =>
    call(graphql, JSON.stringify({ query: mutation, variables: { input } }));
  return [
    call(graphql, `{"query": "${textMessage}`),
    call(graphql, JSON.stringify({ query: `mutation { sendTextMessage(input: "${textMessage}` })),
    call(graphql, JSON.stringify({ query: `{ message(id: "${clientPhone}") { ${clientName} } }` })),
    call(graphql, JSON.stringify({ query: textMessage.repeat(10_000) })),
    call(`${graphql}?query=${textMessage}&token=${token}`, '', 'GET'),
    call(graphql, textMessage, 'DELETE'),
    withInput({ client: { clientName }, textMessage: [textMessage], clientPhone: 1, more: clientPhone }),
    withInput({ clientName: clientName.repeat(100), textMessage: textMessage.repeat(1_000) }),
    withInput({ client: 'reads', clientPhone: `${clientPhone}${clientPhone}`, textMessage }),
    withInput({ client: 'reads', delay: textMessage, textMessage }),
  ];
}

/** Callbacks that are not as they should be. */
function wrongCallbacks({ callbackUrl }: Setting): Promise<Response>[] {
  const told = { message_id: clientPhone, status: textMessage, name: clientName };
  return [
    call(callbackUrl, JSON.stringify(told)),
    call(
      callbackUrl,
      // What is understood has an id, which a trace shows.
      JSON.stringify([
        told,
        { ...told, message_id: 'm', to: clientPhone, status: 'failed', reason: textMessage },
      ]),
    ),
    call(callbackUrl, textMessage),
    call(callbackUrl, JSON.stringify(textMessage.repeat(10_000))),
    call(callbackUrl, textMessage, 'PUT'),
    call(`${callbackUrl}x`, JSON.stringify(told)),
    call(`${callbackUrl}/%zz`, JSON.stringify(told)),
    call(`${callbackUrl}?token=${token}`, '', 'GET'),
    fetch(callbackUrl, { method: 'POST', body: textMessage }),
    ...[token, `${token}x`].map((shown) =>
      fetch(callbackUrl.replace(/\/[^/]*$/, ''), {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${shown}`,
          'x-signature': token,
        },
        body: JSON.stringify(told),
      }),
    ),
  ];
}

/** What somebody asks who knows nothing. */
function strangersRequests({ gateway: { url } }: Setting): Promise<Response>[] {
  return [
    call(`${url}/callbacks/pingup/acme/guess`, '{}'),
    call(`${url}/callbacks/pingup/acme`, '{}'),
    call(`${url}/graphql`, JSON.stringify({ query: '{ message(id: "guess") { id } }' })),
    call(`${url}/graphql`, '{'),
    ...['/', '/nothing', '/healthz', '/readyz', '/metrics'].map((path) => fetch(`${url}${path}`)),
  ];
}

async function wrongSockets({ gateway: { url }, callbackUrl }: Setting): Promise<void> {
  const address = `${url.replace('http', 'ws')}/graphql`;
  const first = [
    textMessage,
    JSON.stringify({ type: 'connection_init', payload: { authorization: token, textMessage } }).slice(0, -1),
    JSON.stringify({ type: textMessage }),
    JSON.stringify({ id: clientPhone, type: 'subscribe', payload: { query: textMessage } }),
  ];
  for (const message of first) {
    const socket = new WebSocket(address, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(message);
    await once(socket, 'close');
  }
  const refused = new WebSocket(callbackUrl.replace('http', 'ws'));
  await once(refused, 'error');
}

async function watchOverSocket({ gateway: { url }, callbackUrl }: Setting): Promise<void> {
  await using client = connect(url);
  const input = { client: 'never-calls-back', textMessage, clientName, clientPhone };
  const sent = await subscribe(client, SendTextMessageDocument, { input }).next();
  const messageId = sent.value?.data?.sendTextMessage?.message.id ?? '';
  const watch = subscribe(client, MessageStatusDocument, { messageId });
  await watch.next();
  const told = { message_id: messageId, status: 'read', text: textMessage, name: clientName };
  await call(callbackUrl, JSON.stringify(told));
  for await (const _ of watch);
  const ask = (query: string) =>
    client
      .iterate({ query })
      .next()
      .catch(() => undefined);
  await ask(`subscription { messageStatus(messageId: "${textMessage}") { id } }`);
  await ask(`query ${clientName} { ${textMessage} }`);
}

async function whileStoreIsLocked({ path }: Setting, work: () => Promise<unknown>): Promise<void> {
  using other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  await work();
  other.exec('ROLLBACK');
}

/** Everything that an ended gateway wrote, once its last line is read. */
async function allWritten({ gateway }: Setting, last: string): Promise<string> {
  await expect.poll(gateway.output).toContain(last);
  return gateway.output();
}

/** The private words that stand in a text, or in the bytes that a log shows as a list of numbers. */
function found(words: readonly string[], text: string): string[] {
  const legible = text.replaceAll(/\[\d{1,3}(,\d{1,3})+\]/g, (bytes) =>
    String(Buffer.from(JSON.parse(bytes))),
  );
  return words.filter((word) => legible.includes(word));
}

test('no token, key, text, name or phone number is in any log, metric, trace or answer to others, whatever happens', async () => {
  await using sandbox = await startSandbox({ business: 'acme', apiKey, callbackUrl: null, stepMs: 0 });
  await using collector = await startCollector();
  await using setting = await startGateway(sandbox.baseUrl, {
    ...collector.env,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${collectorKey}`,
  });
  const { gateway, callbackUrl } = setting;
  sandbox.setCallbackUrl(callbackUrl);

  // First, since later Pingup asks for a pause.
  await watchOverSocket(setting);
  const results = await Promise.all(Object.keys(sandboxClients).map((client) => send(setting, client)));
  expect(new Set(results.map(({ errors }) => errors?.[0]?.extensions?.['code']))).toEqual(
    new Set([undefined, 'PINGUP_REJECTED', 'PINGUP_RATE_LIMITED', 'SEND_OUTCOME_UNKNOWN']),
  );
  await wrongSockets(setting);
  const answers = await answersOf([...wrongRequests(setting), ...wrongCallbacks(setting)]);
  const raw = await rawAnswer(
    setting,
    `POST /callbacks/pingup/acme/${token} nonsense\r\n${textMessage}\r\n\r\n`,
  );
  await whileStoreIsLocked(setting, () =>
    Promise.all([
      send(setting, 'reads'),
      call(callbackUrl, JSON.stringify({ message_id: 'm', status: 'sent', text: textMessage })),
      execute(gateway.url, MessageDocument, { id: textMessage }),
    ]),
  );
  const strangers = await answersOf(strangersRequests(setting));
  await gateway.end('SIGTERM');

  const written = await allWritten(setting, '"stopped"');
  for (const line of ['is kept in quarantine', 'callbacks cannot be recorded', 'The store cannot serve'])
    expect(written).toContain(line);
  expect(strangers).toMatch(/gateway_callbacks_total\{outcome="notUnderstood"\} [1-9]/);
  expect(found(privacies, written)).toEqual([]);
  expect(found(privacies, strangers)).toEqual([]);
  expect(collector.received()).toContain(collectorKey);
  expect(new Set(collector.spans().map(({ name }) => name))).toEqual(new Set(spanNames));
  expect(found(privacies, collector.bodies())).toEqual([]);
  expect(found(secrets, answers.replaceAll(`token=${token}`, ''))).toEqual([]);
  expect(found(privacies, raw)).toEqual([]);
});

test('no bearer token, no part of one, no API key and no secret that signs is in any log, metric or answer to others', async () => {
  const secret = 'zqsign'.repeat(6);
  await using file = await writeApiKeys({ [clientName]: apiKeyEntry(apiKey, { businesses: '*' }) });
  await using setting = await startGateway('http://127.0.0.1:9', {
    AUTH_JWT_KEY: secret,
    AUTH_JWT_ALGORITHMS: 'HS256',
    AUTH_JWT_ISSUER: issuer,
    AUTH_JWT_AUDIENCE: audience,
    AUTH_API_KEYS_FILE: file.path,
  });
  const sign = (claims: Claims) =>
    new SignJWT(validClaims({ sub: clientName, ...claims }))
      .setProtectedHeader({ alg: 'HS256', kid: token })
      .sign(new TextEncoder().encode(secret));
  const good = await Promise.all([sign({}), sign({ businesses: [textMessage] })]);
  const bad = [
    await sign({ exp: 1 }),
    await sign({ aud: textMessage }),
    await sign({ scope: { [textMessage]: true } }),
    `${good[0]}A`,
    `${good[0]?.replace('.', `.${token}`)}`,
    `${apiKey}x`,
    token,
    secret,
    `${secret}.${secret}.${secret}`,
    'zqakey'.repeat(2_000),
  ];
  const { gateway } = setting;
  const shown = [...good, ...bad, apiKey].map((one) => `Bearer ${one}`).concat(token, `Basic ${token}`);
  const body = JSON.stringify({ query: '{ message(id: "m") { id } }' });
  const headers = { 'content-type': 'application/json' };
  const post = (authorization: string) =>
    fetch(`${gateway.url}/graphql`, { method: 'POST', headers: { ...headers, authorization }, body });
  const answers = await answersOf(shown.map(post));
  for (const authorization of shown) {
    await using client = connect(gateway.url, authorization);
    await client
      .iterate({ query: '{ message(id: "m") { id } }' })
      .next()
      .catch(() => undefined);
  }
  await file.write({ [clientName]: { sha256: apiKey, key: apiKey } });
  gateway.process.kill('SIGHUP');
  await expect.poll(gateway.output).toContain('the API keys are not usable');
  const metrics = await answersOf([fetch(`${gateway.url}/metrics`)]);
  await gateway.end('SIGTERM');

  const written = await allWritten(setting, '"stopped"');
  expect(written).toContain('"reason":"signature"');
  expect(metrics).toMatch(/gateway_refused_callers_total\{reason="expired"\} [1-9]/);
  const parts = [...good, ...bad].flatMap((one) => one.split('.')).filter((part) => part.length > 30);
  const words = [...parts, 'zqsign', 'zqakey', 'zqtokn', 'zqtext'];
  for (const text of [written, metrics, answers]) expect(found(words, text)).toEqual([]);
});

test('a Pingup that repeats in its answers what it was told does not bring it into a log or an answer', async () => {
  await using parrot = await startParrot();
  await using setting = await startGateway(parrot.url);
  const results = await Promise.all(['broken', 'prose', 'json'].map((client) => send(setting, client)));
  expect(results.map(({ errors }) => errors?.[0]?.extensions?.['code'])).toEqual(
    Array(3).fill('SEND_OUTCOME_UNKNOWN'),
  );
  await setting.gateway.end('SIGTERM');
  expect(found(privacies, JSON.stringify(results))).toEqual([]);
  expect(found(privacies, await allWritten(setting, '"stopped"'))).toEqual([]);
});

test('a collector that repeats in its answer what it was told does not bring it into a log', async () => {
  const server = createServer(async ({ headers }, response) => {
    response.writeHead(400, `no ${headers.authorization}`).end(headers.authorization);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await using setting = await startGateway('http://127.0.0.1:9', {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${collectorKey}`,
  });
  await call(`${setting.gateway.url}/graphql`, JSON.stringify({ query: '{ __typename }' }));
  await setting.gateway.end('SIGTERM');
  server.close();
  expect(found(privacies, await allWritten(setting, 'traces cannot be exported'))).toEqual([]);
});

test('a fault of its own ends the gateway with exit 1, and the log has the error without what hangs on it', async () => {
  // Turned round only when it runs: the stack names where this stands, which is its own text.
  const words = (word: string) => `[...'${[...word].reverse().join('')}'].reverse().join('')`;
  const fault = `Object.assign(new Error('a fault'), { words: ${words(textMessage)}, url: ${words(token)} })`;
  const onSignal = `process.on('SIGUSR2', () => { throw ${fault}; })`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(onSignal)}` };
  await using setting = await startGateway('http://127.0.0.1:9', env);
  expect(await setting.gateway.end('SIGUSR2')).toEqual([1, null]);
  expect(found(privacies, await allWritten(setting, '"message":"a fault"'))).toEqual([]);
});
