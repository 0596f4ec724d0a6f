import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startTestGateway } from '../support/gateway.ts';
import { closeOf, exchange, openConnection, statusesIn } from '../support/raw-http.ts';
import { authEnv, createSigner } from '../support/signer.ts';
import { serve } from './serve.ts';

function get(path: string, ...headers: readonly string[]): string {
  return `GET ${path} HTTP/1.1\r\n${['Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
}

function post(path: string, body: string, ...headers: readonly string[]): string {
  return `POST ${path} HTTP/1.1\r\n${['Host: localhost', `Content-Length: ${body.length}`, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

const last = get('/last', 'Connection: close');

/** Records when each request began and when its answer was written. */
function recorder(answer: RequestListener = (request, response) => void response.end(request.url)) {
  const events: string[] = [];
  const handle: RequestListener = (request, response) => {
    events.push(`begin ${request.url}`);
    response.on('finish', () => events.push(`written ${request.url}`));
    void nextTurn().then(() => answer(request, response));
  };
  return { events, handle };
}

test('pipelined requests are begun one by one, each when the answer before it is written', async () => {
  const paths = fc.array(fc.record({ path: fc.nat(99), body: fc.boolean() }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(paths, fc.array(fc.nat(), { maxLength: 5 }), async (requests, cuts) => {
      const { events, handle } = recorder();
      await using server = await serve(handle);
      const texts = requests.map(({ path, body }) => (body ? post(`/${path}`, 'body') : get(`/${path}`)));
      const socket = await openConnection(server.url);
      const bytes = [...texts, last].join('');
      const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      for (let n = 1; n < places.length; n += 1) {
        socket.write(bytes.slice(places[n - 1], places[n]));
        await nextTurn();
      }
      socket.resume();
      await closeOf(socket);
      const names = [...requests.map(({ path }) => `/${path}`), '/last'];
      expect(events).toEqual(names.flatMap((name) => [`begin ${name}`, `written ${name}`]));
    }),
    { numRuns: 40 },
  );
});

/** In which all that a client has written would be read. */
async function manyTurns(): Promise<void> {
  for (let n = 0; n < 500; n += 1) await nextTurn();
}

test('a long pipeline is answered in order and whole, and is not read much further than it is answered', async () => {
  const count = 3_000;
  const body = 'x'.repeat(200);
  const bytes = post('/1000', body).length;
  let begun = 0;
  const ahead: number[] = [];
  const handle: RequestListener = (request, response) => {
    ahead.push(request.socket.bytesRead - begun * bytes);
    begun += 1;
    void (begun === 1 ? manyTurns() : nextTurn()).then(() => response.end(request.url));
    request.resume();
  };
  await using server = await serve(handle);
  const pipeline = Array.from({ length: count }, (_, n) => post(`/${1000 + n}`, body)).join('');
  const answers = await exchange(server.url, pipeline + last);
  const paths = [...answers.matchAll(/\/(\d{4})/g)].map(([, path]) => Number(path));
  expect(paths).toEqual(Array.from({ length: count }, (_, n) => 1000 + n));
  // Node reads 64 KiB at a time.
  expect(Math.max(...ahead)).toBeLessThanOrEqual(2 * 65_536);
});

test('the event loop turns between two requests of a pipeline, so that it holds up nobody', async () => {
  let turn = 0;
  let begun = 0;
  const turns = new Set<number>();
  const handle: RequestListener = (_request, response) => {
    begun += 1;
    turns.add(turn);
    response.end();
  };
  await using server = await serve(handle);
  let done = false;
  const counting = (async () => {
    for (; !done; turn += 1) await nextTurn();
  })();
  await exchange(server.url, get('/').repeat(100) + last);
  done = true;
  await counting;
  expect(begun).toBe(101);
  expect(turns.size).toBeGreaterThanOrEqual(100);
});

test('while one answers, what the other connections pipelined waits, bounded: beyond it a connection is closed', async () => {
  const held: (() => void)[] = [];
  const { events, handle } = recorder((_request, response) => void held.push(() => response.end()));
  await using server = await serve(handle);
  const pipeline = get('/').repeat(2_000);
  const sockets = await Promise.all(Array.from({ length: 20 }, () => openConnection(server.url)));
  let closed = 0;
  for (const socket of sockets) {
    socket.on('close', () => (closed += 1));
    socket.write(pipeline);
  }
  await expect.poll(() => closed).toBeGreaterThan(0);
  expect(closed).toBeLessThan(20);
  expect(events.length).toBeLessThanOrEqual(20);
  for (const socket of sockets) socket.destroy();
});

test('a client that goes away has nothing more begun for it', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { events, handle } = recorder(({ url }, response) => (url === '/first' ? begin() : response.end()));
  await using server = await serve(handle);
  const socket = await openConnection(server.url);
  socket.write(get('/first') + get('/second'));
  await begun;
  socket.destroy();
  expect(statusesIn(await exchange(server.url, last))).toEqual([200]);
  expect(events).not.toContain('begin /second');
});

test.each([
  ['a Host is missing', 'GET /none HTTP/1.1\r\n\r\n', 400],
  ['an unknown Expect', get('/expect', 'Expect: the-unexpected'), 417],
])('%s in a pipeline is answered in its turn', async (_what, request, status) => {
  const { handle } = recorder();
  await using server = await serve(handle);
  const answers = await exchange(server.url, get('/first') + request + last);
  expect(statusesIn(answers).slice(0, 2)).toEqual([200, status]);
  expect(answers).toContain('/first');
});

test('an upgrade behind another request is answered in its turn, as one that is none', async () => {
  const { events, handle } = recorder();
  await using server = await serve(handle);
  const socket = await openConnection(server.url);
  let answers = '';
  socket.on('data', (chunk) => (answers += chunk));
  socket.write(get('/first') + get('/graphql', 'Connection: Upgrade', 'Upgrade: websocket'));
  await expect.poll(() => statusesIn(answers)).toEqual([200, 200]);
  expect(events).toEqual(['begin /first', 'written /first', 'begin /graphql', 'written /graphql']);
  socket.destroy();
});

test('a body is asked for by 100 Continue only when its request is begun', async () => {
  const { handle } = recorder();
  await using server = await serve(handle);
  const expecting = post('/expecting', 'body', 'Expect: 100-continue');
  const answers = await exchange(server.url, get('/first') + expecting + last);
  expect(statusesIn(answers)).toEqual([200, 100, 200, 200]);
});

test.each([
  ['without a token', 401, 'a' as const],
  ['with too many requests', 429, 'b' as const],
])('of a pipeline %s one request is answered, and the connection is closed', async (_what, status, which) => {
  const signer = await createSigner();
  const env = which === 'a' ? authEnv(signer) : { REQUESTS_PER_MINUTE: '1' };
  await using gateway = await startTestGateway({ env });
  const body = '{"query":"{ __typename }"}';
  const request = post('/graphql', body, 'Content-Type: application/json');
  const answers = await exchange(gateway.url, request.repeat(50));
  expect(statusesIn(answers)).toEqual(which === 'a' ? [status] : [200, status]);
  expect(answers).toMatch(/connection: close/i);
});

test('a client that is refused while it still sends its body reads the refusal', async () => {
  await using gateway = await startTestGateway({ env: authEnv(await createSigner()) });
  const socket = await openConnection(gateway.url);
  socket.write(
    'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n',
  );
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.resume();
  socket.write('x'.repeat(2_000_000));
  await closeOf(socket);
  expect(errors).toEqual([]);
});

test('a WebSocket opens on a connection that has answered a request', async () => {
  await using gateway = await startTestGateway();
  const socket = await openConnection(gateway.url);
  let answers = '';
  socket.on('data', (chunk) => (answers += chunk.toString('latin1')));
  socket.write(get('/healthz'));
  await expect.poll(() => statusesIn(answers)).toEqual([200]);
  const handshake = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
  socket.write(get('/graphql', 'Connection: Upgrade', 'Upgrade: websocket', ...handshake));
  await expect.poll(() => statusesIn(answers)).toEqual([200, 101]);
  socket.destroy();
});
