import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { closeOf, exchange, openConnection, statusesIn } from '../support/raw-http.ts';
import { serve } from './serve.ts';

const send =
  'sendTextMessage(input: { client: \\"never-calls-back\\", textMessage: \\"x\\" }) { message { id } }';
const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';

function chunked(pieces: readonly string[]): string {
  return pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
}

/** Answers with the body, after the number of pieces in which it was read. */
const echo: RequestListener = (request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => response.end(`${pieces.length} ${Buffer.concat(pieces)}`));
};

test('a body arrives whole, however it is cut', async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20_000 })), {
    maxLength: 30,
  });
  await using server = await serve(echo);
  await fc.assert(
    fc.asyncProperty(sizes, async (lengths) => {
      const pieces = lengths.map((length, index) => String(index % 10).repeat(length));
      const answer = await exchange(server.url, `${head}${chunked(pieces)}0\r\n\r\n`);
      expect(answer.endsWith(` ${pieces.join('')}`) || answer.includes(` ${pieces.join('')}\r\n`)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('pieces of one byte are kept next to each other, not one by one', async () => {
  await using server = await serve(echo);
  const answer = await exchange(server.url, `${head}${chunked(Array(2_000).fill('x'))}0\r\n\r\n`);
  expect(answer).toContain(`1 ${'x'.repeat(2_000)}`);
});

test('a connection whose body comes in thousands of small pieces is closed', async () => {
  await using server = await serve(echo);
  expect(await exchange(server.url, `${head}${chunked(Array(5_000).fill('x'))}0\r\n\r\n`)).toBe('');
});

const flood = {
  'bodies in pieces of one byte':
    head.replace('/ ', '/none ').replace('Host', 'Content-Type: application/json\r\nHost') +
    chunked(Array(40_000).fill(' ')),
  pipelines: 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1_400),
  'bodies that are much larger when parsed': post(
    `{"query":"mutation { ${send} }","variables":{"a":[0${',[]'.repeat(85_000)}]}}`,
  ),
};

function post(body: string): string {
  return `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function dataOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('data', () => resolve()));
}

/** What 200 connections send takes several times this heap, if it is all kept. */
const smallHeap = { NODE_OPTIONS: '--max-old-space-size=160' };

test.each(Object.entries(flood))(
  '%s on many connections at once fit into a small heap',
  { timeout: 60_000 },
  async (_what, bytes) => {
    const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
    const env = { ...smallHeap, STORE_URL: `sqlite:${join(directory, 'gateway.db')}` };
    await using gateway = await startGatewayProcess(env);
    const sockets = await Promise.all(Array.from({ length: 200 }, () => openConnection(gateway.url)));
    const read = sockets.map((socket) => Promise.race([closeOf(socket), dataOf(socket)]));
    for (const socket of sockets) socket.write(bytes);
    await Promise.race([Promise.all(read), once(gateway.process, 'exit')]);
    const last = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    expect(statusesIn(await exchange(gateway.url, last))).toEqual([200]);
    for (const socket of sockets) socket.destroy();
    await rm(directory, { recursive: true });
  },
);
