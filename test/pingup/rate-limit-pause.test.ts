import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { startHttpPeer } from './support/peers.ts';
import { accepted, answerWith, connect, failureOf, text } from './support/pingup.ts';

function retryAfter(value: string): Record<string, string> {
  return { 'retry-after': value };
}

test.each([
  ['20', 20],
  ['120', 30],
  [new Date(Date.now() + 3_600_000).toUTCString(), 30],
])('after a 429 with Retry-After: %s, no send goes out for %i s at most', async (header, seconds) => {
  await using peer = await startHttpPeer(answerWith(429, '', retryAfter(header)));
  await using pingup = connect(peer.url);
  await failureOf(pingup.sendText(text));
  for (let sent = 0; sent < 20; sent += 1) {
    const error = await failureOf(pingup.sendText(text));
    expect(error).toMatchObject({ code: 'PINGUP_RATE_LIMITED', retryAfterSeconds: seconds });
  }
  expect(peer.requests).toHaveLength(1);
});

test('once the pause is over, sends go out again', async () => {
  const answers = [answerWith(429, '', retryAfter('1')), answerWith(200, accepted)];
  await using peer = await startHttpPeer((...exchange) => answers[peer.requests.length - 1]?.(...exchange));
  await using pingup = connect(peer.url);
  await failureOf(pingup.sendText(text));
  const start = performance.now();
  await expect.poll(() => pingup.sendText(text).catch(String)).toBe('id-1');
  expect(performance.now() - start).toBeGreaterThan(950);
  expect(peer.requests).toHaveLength(2);
});

test.each([{}, retryAfter('0'), retryAfter('soon')])('a 429 with %j begins no pause', async (headers) => {
  await using peer = await startHttpPeer(answerWith(429, '', headers));
  await using pingup = connect(peer.url);
  for (let sent = 0; sent < 5; sent += 1) await failureOf(pingup.sendText(text));
  expect(peer.requests).toHaveLength(5);
});

test('a pause ends the wait of those that wait for their turn', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  await using peer = await startHttpPeer((_request, response) => asked.resolve(response));
  await using pingup = connect(peer.url, { concurrency: 1 });
  const first = failureOf(pingup.sendText(text));
  const waiting = Array.from({ length: 10 }, () => failureOf(pingup.sendText(text)));
  (await asked.promise).writeHead(429, retryAfter('9')).end();
  for (const error of await Promise.all([first, ...waiting]))
    expect(error).toMatchObject({ code: 'PINGUP_RATE_LIMITED', retryAfterSeconds: 9 });
  expect(peer.requests).toHaveLength(1);
});
