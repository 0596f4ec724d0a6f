import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { closeOf, openConnection } from '../support/raw-http.ts';
import { serve } from './serve.ts';

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const mebibyte = 1024 * 1024;
/** More than the operating system takes for a connection whose other end does not read. */
const large = Buffer.alloc(32 * mebibyte, 'x');
const never = 3_600_000;

/** A connection that asks and does not read. */
async function openReader(url: string): Promise<Socket> {
  const socket = await openConnection(url);
  socket.pause();
  socket.write(request);
  return socket;
}

async function bytesUntilClosed(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (bytes > large.length) socket.destroy();
  });
  socket.resume();
  await closeOf(socket);
  return bytes;
}

const whole: RequestListener = (_request, response) => void response.end(large);
const streamed: RequestListener = (_request, response) =>
  void Readable.from(
    (function* () {
      for (let n = 0; n < 32; n += 1) yield Buffer.alloc(mebibyte);
    })(),
  ).pipe(response);

test.each([
  ['an answer', whole],
  ['a stream', streamed],
])('a client that takes nothing of %s is closed, and logged', async (_what, handle) => {
  await using server = await serve(handle, { bounds: { stallMs: 500, sweepMs: 50 } });
  const socket = await openReader(server.url);
  await expect.poll(() => server.lines).toMatchObject([{ msg: expect.stringContaining('took nothing') }]);
  expect(await bytesUntilClosed(socket)).toBeLessThan(large.length);
});

test('a client that reads slowly gets all of it, though it takes longer than a stall may', async () => {
  await using server = await serve(whole, { bounds: { stallMs: 500, sweepMs: 50 } });
  const socket = await openReader(server.url);
  let bytes = 0;
  const done = Promise.withResolvers<void>();
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    if (bytes >= large.length) done.resolve();
  });
  socket.pause();
  // A piece every 50 ms, so that the whole takes several times as long as a stall may.
  const read = setInterval(() => {
    const until = bytes + mebibyte;
    const more = () => (bytes < until ? socket.resume() : socket.pause());
    socket.on('data', more);
    more();
    setTimeout(() => socket.off('data', more).pause(), 40);
  }, 50);
  await Promise.race([done.promise, closeOf(socket)]);
  clearInterval(read);
  expect(bytes).toBeGreaterThanOrEqual(large.length);
  expect(server.lines).toEqual([]);
  socket.destroy();
});

test('when too much waits in all, those are closed for which it has waited longest, and the others get theirs', async () => {
  const bounds = { stallMs: never, sweepMs: never, maxUnreadBytes: 100 * mebibyte };
  let answered = 0;
  const handle: RequestListener = (_request, response) => {
    answered += 1;
    response.end(large);
  };
  await using server = await serve(handle, { bounds });
  const sockets: Socket[] = [];
  for (let n = 0; n < 5; n += 1) {
    const socket = await openReader(server.url);
    sockets.push(socket);
    await expect.poll(() => answered).toBe(n + 1);
  }
  await expect.poll(() => server.lines).toMatchObject([{ msg: expect.stringContaining('too much waited') }]);
  const received = await Promise.all(sockets.map(bytesUntilClosed));
  expect(received.map((bytes) => bytes > large.length)).toEqual([false, false, true, true, true]);
});

test('a client that does not read has one answer made for it, whatever it pipelines', async () => {
  let answered = 0;
  const handle: RequestListener = (_request, response) => {
    answered += 1;
    response.end(large);
  };
  await using server = await serve(handle, { bounds: { stallMs: 500, sweepMs: 50 } });
  const socket = await openConnection(server.url);
  socket.pause();
  socket.write(request.repeat(100));
  await expect.poll(() => server.lines).toHaveLength(1);
  expect(answered).toBe(1);
  socket.destroy();
});
