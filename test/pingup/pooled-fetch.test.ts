import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { ExchangeError } from '../../src/pingup/exchange-error.ts';
import { createPooledFetch, type PooledFetch } from '../../src/pingup/pooled-fetch.ts';
import { startHttpPeer, startTcpPeer } from './support/peers.ts';
import { traceparent } from './support/pingup.ts';

function poolOf(origin: string, maxConnections: number): PooledFetch {
  return createPooledFetch({
    origin,
    headers: {},
    maxConnections,
    connectTimeoutMs: 5_000,
    maxAnswerBytes: 1_000,
  });
}

function inMs(ms: number): number {
  return performance.now() + ms;
}

interface Times {
  readonly leaveBy: number;
  readonly deadline: number;
}

function post(pool: PooledFetch, url: string, body: string, times: Partial<Times> = {}): Promise<Response> {
  const { deadline = inMs(20_000), leaveBy = deadline } = times;
  return pool.exchange(new Request(url, { method: 'POST' }), { body, traceparent, leaveBy, deadline });
}

test.each<[string, (at: number) => Partial<Times>]>([
  ['its deadline', (deadline) => ({ deadline })],
  ['the time by which it was to leave', (leaveBy) => ({ leaveBy })],
])('what waits for a connection beyond %s never leaves, and costs no connection', async (_what, timesAt) => {
  const held = Promise.withResolvers<ServerResponse>();
  await using peer = await startHttpPeer(({ body }, response) => {
    if (body === 'first') held.resolve(response);
    else response.end();
  });
  await using pool = poolOf(peer.url, 1);
  const first = post(pool, peer.url, 'first');
  const response = await held.promise;
  const late = await Promise.all(
    Array.from({ length: 5 }, () => post(pool, peer.url, 'late', timesAt(inMs(50))).catch(String)),
  );
  expect(new Set(late)).toEqual(new Set([String(new ExchangeError(false, null))]));
  response.end();
  await first;
  await post(pool, peer.url, 'last');
  expect(peer.requests.map(({ body }) => body)).toEqual(['first', 'last']);
  expect(peer.connections).toBe(1);
});

test('what has left in time is not cut off when the time to leave is over', async () => {
  const over = Promise.withResolvers<void>();
  await using peer = await startHttpPeer(async ({ body }, response) => {
    if (body === 'slow') await over.promise;
    response.end(body);
  });
  await using pool = poolOf(peer.url, 1);
  await post(pool, peer.url, 'first');
  const leaveBy = inMs(1_000);
  const slow = post(pool, peer.url, 'slow', { leaveBy });
  setTimeout(over.resolve, 1_100);
  expect(await (await slow).text()).toBe('slow');
  expect(performance.now()).toBeGreaterThan(leaveBy);
});

test('what waits for a connection goes out when one is free', async () => {
  await using peer = await startHttpPeer(({ body }, response) => response.end(body));
  await using pool = poolOf(peer.url, 2);
  const bodies = Array.from({ length: 100 }, (_, index) => String(index));
  const answers = await Promise.all(bodies.map((body) => post(pool, peer.url, body)));
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(bodies);
  expect(peer.connections).toBe(2);
});

test('no more than 4,096 wait, and those that came too late can be repeated', async () => {
  const held = Promise.withResolvers<ServerResponse>();
  await using peer = await startHttpPeer(({ body }, response) => {
    if (body === 'first') held.resolve(response);
    else response.end();
  });
  await using pool = poolOf(peer.url, 1);
  const first = post(pool, peer.url, 'first');
  const response = await held.promise;
  const waiting = Array.from({ length: 4_096 }, () => post(pool, peer.url, 'waits'));
  await expect(post(pool, peer.url, 'too late')).rejects.toMatchObject({ mayHaveLeft: false });
  response.end();
  await Promise.all([first, ...waiting]);
  await post(pool, peer.url, 'repeated');
  expect(peer.requests).toHaveLength(4_098);
});

test('what is reset on a kept connection may have left, and is not written again', async () => {
  await using peer = await startTcpPeer((socket) => {
    if (peer.received().includes('second')) socket.resetAndDestroy();
    else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  });
  await using pool = poolOf(peer.url, 1);
  await post(pool, peer.url, 'first');
  await expect(post(pool, peer.url, 'second')).rejects.toMatchObject({ mayHaveLeft: true });
  await expect(post(pool, peer.url, 'third')).rejects.toMatchObject({ mayHaveLeft: true });
  expect(peer.received().match(/first|second|third/g)).toEqual(['first', 'second', 'third']);
});
