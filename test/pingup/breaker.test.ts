import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { responsiveTime } from '../support/responsive-time.ts';
import { type Answer, startHttpPeer, startTcpPeer } from './support/peers.ts';
import { accepted, answerWith, connect, failureOf, type TestPingup, text } from './support/pingup.ts';

const down = answerWith(503, '');
const up = answerWith(200, accepted);

async function send(pingup: TestPingup, times: number): Promise<void> {
  await Promise.all(Array.from({ length: times }, () => pingup.sendText(text).catch(() => undefined)));
}

const soon = { timeout: 120_000, interval: 20 };

/** Sends until one of them is let through to try whether Pingup is back, and resolves as that one does. */
async function tryOut(pingup: TestPingup): Promise<string> {
  const sends: Promise<string>[] = [];
  function begin(): boolean {
    const sent = pingup.sendText(text);
    sent.catch(() => undefined);
    sends.push(sent);
    return pingup.health().breaker === 'half-open';
  }
  await vi.waitUntil(begin, soon);
  return sends.at(-1) ?? 'nothing was sent';
}

async function expectTurnedAway(pingup: TestPingup): Promise<void> {
  const failure = failureOf(pingup.sendText(text));
  expect(await responsiveTime(failure)).toBe(0);
  const error = await failure;
  expect(error).toMatchObject({ code: 'PINGUP_UNAVAILABLE', retryable: true });
  expect(error.retryAfterSeconds).toBeOneOf([1, 2]);
}

describe.concurrent('ten in a row open it, and what follows is turned away at once:', () => {
  test.each<[string, Answer]>([
    ['503', down],
    ['an unreadable answer', answerWith(200, '<html>')],
    ['a reset', (_request, response) => response.socket?.resetAndDestroy()],
    ['silence', () => undefined],
  ])('%s', async (_case, answer) => {
    await using peer = await startHttpPeer(answer);
    await using pingup = connect(peer.url, { timeoutMs: 1_000 });
    await send(pingup, 9);
    expect(pingup.health().breaker).toBe('closed');
    await send(pingup, 1);
    expect(pingup.health().breaker).toBe('open');
    // At once, before the first try is due.
    await Promise.all(Array.from({ length: 20 }, () => expectTurnedAway(pingup)));
    expect(peer.requests).toHaveLength(10);
  });

  test('a refused connection; what has not left is then given up before its deadline', async () => {
    const { url } = await closedPort();
    await using pingup = connect(url);
    const errors = await Promise.all(Array.from({ length: 10 }, () => failureOf(pingup.sendText(text))));
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['PINGUP_UNAVAILABLE']));
    await expectTurnedAway(pingup);
  });
});

test('any word of Pingup’s own begins the count anew', async () => {
  await using peer = await startHttpPeer((request, response) => {
    const { text_message } = JSON.parse(request.body);
    response.writeHead(Number(text_message)).end(accepted);
  });
  await using pingup = connect(peer.url);
  for (const sign of ['200', '400', '401', '404', '429', '302']) {
    for (const textMessage of [...Array<string>(9).fill('503'), sign])
      await pingup.sendText({ ...text, textMessage }).catch(() => undefined);
    expect(pingup.health().breaker).toBe('closed');
  }
  expect(peer.requests).toHaveLength(60);
});

test('it ends the wait of those that wait for their turn', async () => {
  const asked = Promise.withResolvers<ServerResponse>();
  await using peer = await startHttpPeer((request, response) => {
    if (peer.requests.length < 10) down(request, response);
    else asked.resolve(response);
  });
  await using pingup = connect(peer.url, { concurrency: 1 });
  await send(pingup, 9);
  const last = failureOf(pingup.sendText(text));
  const waiting = Array.from({ length: 10 }, () => failureOf(pingup.sendText(text)));
  expect(pingup.health()).toMatchObject({ queued: 10, running: 1 });
  (await asked.promise).writeHead(503).end();
  expect(await last).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
  for (const error of await Promise.all(waiting))
    expect(error).toMatchObject({ code: 'PINGUP_UNAVAILABLE', retryAfterSeconds: 2 });
  expect(pingup.health()).toMatchObject({ queued: 0, running: 0 });
  expect(peer.requests).toHaveLength(10);
});

describe.concurrent('while it is open, one send at a time tries whether Pingup is back', () => {
  test('and the others are turned away until it has succeeded; an outage is logged once', async () => {
    const logged: string[] = [];
    const log = { warn: () => void logged.push('down'), info: () => void logged.push('back') };
    const asked: PromiseWithResolvers<ServerResponse>[] = [Promise.withResolvers(), Promise.withResolvers()];
    await using peer = await startHttpPeer((request, response) => {
      if (peer.requests.length <= 10) down(request, response);
      else if (peer.requests.length <= 12) asked[peer.requests.length - 11]?.resolve(response);
      else up(request, response);
    });
    await using pingup = connect(peer.url, { log });
    await send(pingup, 10);

    const first = failureOf(tryOut(pingup));
    (await asked[0]?.promise)?.writeHead(503).end();
    expect(await first).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
    await expectTurnedAway(pingup);

    const second = tryOut(pingup);
    const held = await asked[1]?.promise;
    for (let sent = 0; sent < 20; sent += 1) await expectTurnedAway(pingup);
    expect(peer.requests).toHaveLength(12);
    held?.end(accepted);
    expect(await second).toBe('id-1');
    expect(pingup.health().breaker).toBe('closed');
    expect(await pingup.sendText(text)).toBe('id-1');
    expect(logged).toEqual(['down', 'back']);
  });

  test('and a refusal says that it is', async () => {
    await using peer = await startHttpPeer((request, response) =>
      (peer.requests.length <= 10 ? down : answerWith(400, ''))(request, response),
    );
    await using pingup = connect(peer.url);
    await send(pingup, 10);
    expect(await failureOf(tryOut(pingup))).toMatchObject({ code: 'PINGUP_REJECTED' });
    expect(pingup.health().breaker).toBe('closed');
  });

  test('and one without an answer makes way for the next, yet is heard when it comes at last', async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    await using peer = await startHttpPeer((request, response) => {
      if (peer.requests.length <= 10) down(request, response);
      else asked.resolve(response);
    });
    await using pingup = connect(peer.url);
    await send(pingup, 10);
    const slow = tryOut(pingup);
    const held = await asked.promise;
    await vi.waitUntil(() => pingup.health().breaker === 'open', soon);
    held.end(accepted);
    expect(await slow).toBe('id-1');
    expect(pingup.health().breaker).toBe('closed');
  });
});

/** A port on which nobody listens. */
async function closedPort(): Promise<{ url: string }> {
  await using peer = await startTcpPeer(() => undefined);
  return { url: peer.url };
}
