import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { serveWebsockets } from '../../src/graphql/websocket-server.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { MessageStatusDocument } from '../generated/operations.ts';
import { startTestGateway } from '../support/gateway.ts';
import { connect, dataOf, subscribe } from '../support/graphql-client.ts';

type Headers = Readonly<Record<string, string>>;

function socketTo({ url }: { readonly url: string }, headers: Headers = {}): WebSocket {
  return new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
}

async function openSocket(gateway: { readonly url: string }, headers?: Headers): Promise<WebSocket> {
  const socket = socketTo(gateway, headers);
  await once(socket, 'open');
  return socket;
}

/** Resolves to the close code, or rejects with the HTTP status that the upgrade was refused with. */
async function closeCodeOf(socket: WebSocket): Promise<number> {
  return (await once(socket, 'close'))[0] as number;
}

test.each([
  ['behind a trusted proxy', 1013, { SOCKETS_PER_ADDRESS: '1', TRUST_PROXY: '127.0.0.0/8' }],
  ['from one address', 1006, { SOCKETS_PER_ADDRESS: '1' }],
  ['in all', 1006, { MAX_SOCKETS: '1' }],
])(
  'one socket too many %s closes with %d, and its client comes back once there is room',
  async (_what, code, env) => {
    await using gateway = await startTestGateway({ env });
    const first = await openSocket(gateway);
    const refusals: unknown[] = [];
    let retries = 0;
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      // As the README says: a connection that is refused is an error to this client, not a close.
      shouldRetry: () => true,
      retryWait: async () => {
        retries += 1;
        first.close();
        await once(first, 'close');
        await expect.poll(() => gateway.load().sockets).toBe(0);
      },
      on: { closed: (event) => refusals.push((event as { code: number }).code) },
    });
    const { value } = await client.iterate({ query: '{ __typename }' }).next();
    expect(value).toEqual({ data: { __typename: 'Query' } });
    expect(refusals[0] ?? 1006).toBe(code);
    expect(retries).toBe(1);
    await client.dispose();
  },
);

test('behind a trusted proxy each client is an address of its own, and only there', async () => {
  const env = { SOCKETS_PER_ADDRESS: '1', TRUST_PROXY: '127.0.0.0/8' };
  await using gateway = await startTestGateway({ env });
  await openSocket(gateway, { 'x-forwarded-for': '203.0.113.1' });
  await openSocket(gateway, { 'x-forwarded-for': '203.0.113.2' });
  expect(await closeCodeOf(socketTo(gateway, { 'x-forwarded-for': '203.0.113.2' }))).toBe(1013);
  await openSocket(gateway, { 'x-forwarded-for': '2001:db8::1' });
  expect(await closeCodeOf(socketTo(gateway, { 'x-forwarded-for': '2001:db8::2' }))).toBe(1013);

  await using direct = await startTestGateway({ env: { SOCKETS_PER_ADDRESS: '1' } });
  await openSocket(direct, { 'x-forwarded-for': '203.0.113.1' });
  await expect(openSocket(direct, { 'x-forwarded-for': '203.0.113.2' })).rejects.toThrow('hang up');
});

test('a socket that sends too many messages within a second closes with 1013, and its client loses nothing', async () => {
  await using gateway = await startTestGateway({ env: { MESSAGES_PER_SECOND: '5' } });
  await using neighbour = connect(gateway.url);
  const messageId = await gateway.send();
  const states = subscribe(neighbour, MessageStatusDocument, { messageId });
  await states.next();

  const hasty = await openSocket(gateway);
  const closed = closeCodeOf(hasty);
  for (let count = 0; count < 12; count += 1) hasty.send('{"type":"ping"}');
  expect(await closed).toBe(1013);

  await gateway.callBack({ message_id: messageId, status: 'read' });
  expect(dataOf((await states.next()).value).messageStatus.status).toBe('READ');
});

test.each([
  ['of another site', { origin: 'https://evil.example' }, {}, 403],
  ['of no site', { origin: 'null' }, {}, 403],
  ['of a listed site', { origin: 'https://app.example' }, { ALLOWED_ORIGINS: 'https://app.example' }, 101],
  ['of our public address', { origin: 'https://gw.example' }, { PUBLIC_URL: 'https://gw.example/a' }, 101],
  ['of any site, where all may', { origin: 'https://evil.example' }, { ALLOWED_ORIGINS: '*' }, 101],
  [
    'of this host',
    { origin: 'https://gw.example', host: 'gw.example' },
    { PUBLIC_URL: 'http://gw.example' },
    101,
  ],
  [
    'of this host, with the port of its scheme',
    { origin: 'https://gw.example', host: 'GW.example:443' },
    { PUBLIC_URL: 'http://gw.example' },
    101,
  ],
  ['that is none', {}, {}, 101],
])('a page %s gets a socket or 403', async (_what, headers, env, status) => {
  await using gateway = await startTestGateway({ env });
  const opened = openSocket(gateway, headers as unknown as Headers).then(
    () => 101,
    (error: Error) => Number(error.message.match(/\d{3}$/)?.[0]),
  );
  expect(await opened).toBe(status);
});

test('a socket without connection_init closes with 4408 after 3 s', async () => {
  await using gateway = await startTestGateway();
  const started = performance.now();
  expect(await closeCodeOf(await openSocket(gateway))).toBe(4408);
  expect(performance.now() - started).toBeGreaterThan(2_900);
});

test('an array of operations closes its socket with 4400: nothing is batched', async () => {
  await using gateway = await startTestGateway();
  const socket = await openSocket(gateway);
  socket.send('[{"type":"connection_init"}]');
  expect(await closeCodeOf(socket)).toBe(4400);
});

/** Sockets that speak to nobody, for what concerns the sockets alone. */
async function serveSockets(options: { readonly pingIntervalMs?: number }) {
  const log = pino({ level: 'silent' });
  const app = createHttpServer({ log, serving: () => true });
  const sockets = serveWebsockets({
    server: app.server,
    path: '/graphql',
    protocol: { opened: () => async () => {} },
    allowsOrigin: () => true,
    addressOf: () => 'somewhere',
    socketsPerAddress: 1_000,
    messagesPerSecond: 1_000,
    log,
    ...options,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  async function stop(): Promise<void> {
    const closed = app.close();
    await sockets.close(0);
    await closed;
  }
  return { url, sockets, [Symbol.asyncDispose]: stop };
}

test('a peer that answers no ping is ended within two, and one that does stays', async () => {
  await using server = await serveSockets({ pingIntervalMs: 200 });
  const address = `${server.url.replace('http', 'ws')}/graphql`;
  const dead = new WebSocket(address, 'graphql-transport-ws', { autoPong: false });
  const alive = await openSocket(server);
  expect(await closeCodeOf(dead)).toBe(1006);
  await expect.poll(() => server.sockets.open).toBe(1);
  expect(alive.readyState).toBe(WebSocket.OPEN);
});

test('many sockets are closed one after the other over the time given, and few at once', async () => {
  await using server = await serveSockets({});
  const open = await Promise.all(Array.from({ length: 350 }, () => openSocket(server)));
  const started = performance.now();
  const codes = open.map(async (socket) => [await closeCodeOf(socket), performance.now() - started] as const);
  await server.sockets.close(400);
  const closed = await Promise.all(codes);
  expect(new Set(closed.map(([code]) => code))).toEqual(new Set([1001]));
  expect(Math.max(...closed.map(([, after]) => after))).toBeGreaterThan(140);
});
