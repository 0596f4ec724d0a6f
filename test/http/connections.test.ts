import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ConnectionLimits } from '../../src/http/connection-limits.ts';
import { usualBounds } from '../../src/http/guarded-server.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { closeOf, exchange, openConnection, statusesIn } from '../support/raw-http.ts';
import { serve } from './serve.ts';

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const healthz = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const never = 3_600_000;
const noLimits: ConnectionLimits = { maxSockets: 1_000, socketsPerAddress: 1_000, trustedProxies: [] };
/** So short that a test need not wait, and far longer than what is no attack takes. */
const short = { requestMs: 400, idleMs: 400, sweepMs: 50 };

async function isAnswered(socket: Socket): Promise<boolean> {
  socket.write(request);
  const data = new Promise<boolean>((resolve) => void socket.once('data', () => resolve(true)));
  return Promise.race([data, closeOf(socket).then(() => false)]);
}

test.each([
  ['from one address', { socketsPerAddress: 3 }, 'SOCKETS_PER_ADDRESS'],
  ['in all', { maxSockets: 3 }, 'MAX_SOCKETS'],
])(
  'a connection too many %s is closed at once, and logged once; there is room when one goes',
  async (_what, limits, name) => {
    await using server = await serve((_, response) => void response.end(), {
      limits: { ...noLimits, ...limits },
      bounds: { leastIdleMs: never },
    });
    const open = [
      await openConnection(server.url),
      await openConnection(server.url),
      await openConnection(server.url),
    ];
    for (let n = 0; n < 5; n += 1) expect(await exchange(server.url, request)).toBe('');
    expect(server.lines).toMatchObject([{ msg: expect.stringContaining(name), suppressed: 0 }]);
    for (const socket of open) expect(await isAnswered(socket)).toBe(true);
    open[0]?.destroy();
    await expect.poll(async () => isAnswered(await openConnection(server.url))).toBe(true);
  },
);

test('where there are too many in all, the one that is idle for longest makes room, and none that is answering', async () => {
  const held: ServerResponse[] = [];
  const handle: RequestListener = ({ url }, response) =>
    void (url === '/held' ? held.push(response) : response.end());
  const limits = { ...noLimits, maxSockets: 3 };
  await using server = await serve(handle, { limits, bounds: { leastIdleMs: 0 } });
  const answering = await openConnection(server.url);
  answering.write(request.replace('/', '/held'));
  await expect.poll(() => held.length).toBe(1);
  const idle = await openConnection(server.url);
  const later = await openConnection(server.url);
  const closed = closeOf(idle);
  expect(await isAnswered(await openConnection(server.url))).toBe(true);
  await closed;
  const answer = new Promise((resolve) => void answering.once('data', resolve));
  held[0]?.end();
  await answer;
  for (const socket of [answering, later]) expect(await isAnswered(socket)).toBe(true);
});

test('connections of a trusted proxy are not counted by address, but in all', async () => {
  const limits = { maxSockets: 3, socketsPerAddress: 1, trustedProxies: ['127.0.0.0/8'] };
  await using server = await serve((_, response) => void response.end(), {
    limits,
    bounds: { leastIdleMs: never },
  });
  for (let n = 0; n < 3; n += 1) expect(await isAnswered(await openConnection(server.url))).toBe(true);
  expect(await isAnswered(await openConnection(server.url))).toBe(false);
});

test('WebSockets, HTTP and what says nothing count alike in the gateway; the port of the metrics does not', async () => {
  const env = { SOCKETS_PER_ADDRESS: '2', METRICS_PORT: '0' };
  await using gateway = await startTestGateway({ env });
  const handshake =
    'GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n';
  const socket = await openConnection(gateway.url);
  socket.write(handshake);
  const [upgraded] = await once(socket, 'data');
  expect(statusesIn(String(upgraded))).toEqual([101]);
  await openConnection(gateway.url);
  expect(await isAnswered(await openConnection(gateway.url))).toBe(false);
  for (let n = 0; n < 5; n += 1)
    expect(await isAnswered(await openConnection(gateway.metricsUrl))).toBe(true);
});

test.each([
  ['sends nothing', '', ''],
  ['sends line ends alone', '\r\n', '\r\n'],
  ['dribbles its headers', 'POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ', 'x'],
  ['dribbles its body', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\n', 'x'],
  [
    'dribbles its chunks',
    'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n',
    '1\r\nx\r\n',
  ],
])('a connection that %s is closed when the time of a request is over', async (_what, start, more) => {
  const handle: RequestListener = (incoming, response) =>
    void incoming.resume().on('end', () => response.end());
  await using server = await serve(handle, { bounds: { ...short, idleMs: never } });
  const socket = await openConnection(server.url);
  socket.write(start);
  const dribble = setInterval(() => socket.write(more), 20);
  socket.resume();
  await closeOf(socket);
  clearInterval(dribble);
});

test('a client may take nothing of its answer for 10 s', () => {
  expect(usualBounds.stallMs).toBeLessThanOrEqual(10_000);
});

test('the headers of a request, and its body with them, have 10 s at most', () => {
  expect(usualBounds.requestMs + usualBounds.sweepMs).toBeLessThanOrEqual(10_000);
});

test.each([
  ['nothing', ''],
  ['line ends', '\r\n'],
])(
  'a connection that sends %s after its answer is closed when its idle time is over',
  async (_what, dribbled) => {
    await using server = await serve((_, response) => void response.end(), { bounds: short });
    const socket = await openConnection(server.url);
    expect(await isAnswered(socket)).toBe(true);
    const dribble = setInterval(() => socket.write(dribbled), 20);
    socket.resume();
    await closeOf(socket);
    clearInterval(dribble);
  },
);

test('a connection that is used stays open for longer than a request may take', async () => {
  await using server = await serve((_, response) => void response.end(), {
    bounds: { requestMs: 1_000, idleMs: never, sweepMs: 50 },
  });
  const socket = await openConnection(server.url);
  const until = performance.now() + 1_500;
  while (performance.now() < until) expect(await isAnswered(socket)).toBe(true);
  socket.destroy();
});

test('when file descriptors run out it is logged once, and the gateway serves again once there are some', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const env = { STORE_URL: `sqlite:${join(directory, 'gateway.db')}` };
  await using gateway = await startGatewayProcess(env, undefined, undefined, 100);
  const sockets = await Promise.all(Array.from({ length: 150 }, () => openConnection(gateway.url)));
  const lines = () => gateway.output().split('file descriptors have run out').length - 1;
  await expect.poll(lines).toBe(1);
  const left = sockets.filter((socket) => !socket.closed);
  expect(left.length).toBeLessThan(100);
  for (const socket of left) socket.destroy();
  await expect.poll(async () => statusesIn(await exchange(gateway.url, healthz))).toEqual([200]);
  expect(lines()).toBe(1);
  await rm(directory, { recursive: true });
});
