import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startHttpPeer, startTcpPeer } from './support/peers.ts';
import { accepted, answerWith, apiKey, connect, failureOf, text, traceparent } from './support/pingup.ts';
import { untrusted } from './support/untrusted-certificate.ts';

/** An answer of one connection, as its very bytes. */
function rawAnswer(head: string, body = ''): string {
  return `HTTP/1.1 ${head}\r\n\r\n${body}`;
}

describe('the request', () => {
  test('is the documented one', async () => {
    await using peer = await startHttpPeer(answerWith(200, accepted));
    await using pingup = connect(`${peer.url}/ext/v2`, { business: 'a b/ç' });
    expect(await pingup.sendText(text)).toBe('id-1');
    const [request] = peer.requests;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('/ext/v2/a%20b%2F%C3%A7/messages');
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer a-secret-key',
      'content-type': 'application/json',
      traceparent,
    });
    expect(request?.body).toBe(
      '{"message_type":"text","client":"client-1","client_phone":"393121234567","client_name":"Jon Doe",' +
        '"text_message":"Hello","delay":"2d"}',
    );
  });

  test('leaves out what is not given, and names the callback address where it is to', async () => {
    await using peer = await startHttpPeer(answerWith(200, accepted));
    await using pingup = connect(peer.url, { callbackUrl: 'https://gateway.example/callbacks' });
    await pingup.sendText({ ...text, client: null, clientName: null, delay: null });
    expect(JSON.parse(peer.requests[0]?.body ?? '')).toEqual({
      message_type: 'text',
      client_phone: '393121234567',
      text_message: 'Hello',
      callback_url: 'https://gateway.example/callbacks',
    });
  });

  test('carries any text unchanged', async () => {
    await using peer = await startHttpPeer(answerWith(200, accepted));
    await using pingup = connect(peer.url);
    const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 4096 });
    await fc.assert(
      fc.asyncProperty(texts, texts, async (textMessage, client) => {
        await pingup.sendText({ client, clientPhone: null, clientName: null, textMessage, delay: null });
        const sent: unknown = JSON.parse(peer.requests.at(-1)?.body ?? '');
        expect(sent).toEqual({ message_type: 'text', client, text_message: textMessage });
      }),
      { numRuns: 200 },
    );
  });

  test('takes the connection of an earlier one', async () => {
    await using peer = await startHttpPeer(answerWith(200, accepted));
    await using pingup = connect(peer.url);
    for (let sent = 0; sent < 20; sent += 1) await pingup.sendText(text);
    expect(peer.requests).toHaveLength(20);
    // undici may open a second one before it has seen that the first is free again.
    expect(peer.connections).toBeLessThanOrEqual(2);
  });

  test('has a connection of its own while others are under way', async () => {
    await using peer = await startHttpPeer((_request, response) => {
      if (peer.requests.length === 8) for (const held of waiting) held.end(accepted);
      waiting.push(response.writeHead(200));
      if (peer.requests.length === 8) response.end(accepted);
    });
    const waiting: { end(body: string): unknown }[] = [];
    await using pingup = connect(peer.url);
    const ids = await Promise.all(Array.from({ length: 8 }, () => pingup.sendText(text)));
    expect(ids).toHaveLength(8);
    expect(peer.connections).toBe(8);
  });
});

describe('an answer', () => {
  test.each([
    ['a string', accepted, 'id-1'],
    ['a whole number', '{"success":true,"data":{"message_id":42}}', '42'],
    ['without the flag', '{"data":{"message_id":"id-1"}}', 'id-1'],
    [
      'of another 2xx, another type and more fields',
      '{"success":true,"x":1,"data":{"message_id":"é🙂","y":2}}',
      'é🙂',
    ],
  ])('with an id is the id: %s', async (_case, body, id) => {
    await using peer = await startHttpPeer(answerWith(201, body, { 'content-type': 'text/plain' }));
    await using pingup = connect(peer.url);
    expect(await pingup.sendText(text)).toBe(id);
  });

  test.each([
    [200, '{"success":false,"data":{"message_id":"id-1"}}'],
    [200, '{"success":false}'],
    [300, ''],
    [304, ''],
    [400, accepted],
    [401, '<html>'],
    [404, ''],
    [408, ''],
    [422, '{"error":"closed"}'],
  ])('of %i %s is PINGUP_REJECTED, and asked once', async (status, body) => {
    await using peer = await startHttpPeer(answerWith(status, body));
    await using pingup = connect(peer.url);
    const error = await failureOf(pingup.sendText(text));
    expect(error).toMatchObject({ code: 'PINGUP_REJECTED', retryable: false });
    expect(peer.requests).toHaveLength(1);
  });

  test.each([
    [500, ''],
    [502, '<html>bad gateway</html>'],
    [503, accepted],
    [599, ''],
    [200, ''],
    [200, '<html>hello</html>'],
    [200, 'null'],
    [200, '[]'],
    [200, '"id-1"'],
    [200, '{}'],
    [200, '{"success":true}'],
    [200, '{"success":true,"data":null}'],
    [200, '{"success":true,"data":"id-1"}'],
    [200, '{"success":true,"data":{"message_id":""}}'],
    [200, '{"success":true,"data":{"message_id":"  "}}'],
    [200, '{"success":true,"data":{"message_id":null}}'],
    [200, '{"success":true,"data":{"message_id":["id-1"]}}'],
    [200, '{"success":true,"data":{"message_id":9007199254740993}}'],
    [200, '{"success":true,"data":{"message_id":1.5}}'],
    [200, '{"success":true,"data":{"message_id":"\\ud800"}}'],
    [200, `{"success":true,"data":{"message_id":"${'x'.repeat(257)}"}}`],
    [200, '{"success":"maybe","data":{"message_id":"id-1"}}'],
    [204, ''],
    [205, ''],
  ])('of %i %s is SEND_OUTCOME_UNKNOWN, and asked once', async (status, body) => {
    await using peer = await startHttpPeer(answerWith(status, body));
    await using pingup = connect(peer.url);
    const error = await failureOf(pingup.sendText(text));
    expect(error).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN', retryable: false });
    expect(peer.requests).toHaveLength(1);
  });

  test('that is not UTF-8 is SEND_OUTCOME_UNKNOWN', async () => {
    const bytes = Buffer.from('{"success":true,"data":{"message_id":"\xe9"}}', 'latin1');
    await using peer = await startHttpPeer((_request, response) => response.end(bytes));
    await using pingup = connect(peer.url);
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
  });

  test.each([
    ['120', 120],
    ['garbage', undefined],
    [undefined, undefined],
  ])('of 429 with Retry-After: %s is PINGUP_RATE_LIMITED after %s s', async (header, seconds) => {
    await using peer = await startHttpPeer(answerWith(429, '', header ? { 'retry-after': header } : {}));
    await using pingup = connect(peer.url);
    const error = await failureOf(pingup.sendText(text));
    expect(error).toMatchObject({ code: 'PINGUP_RATE_LIMITED', retryable: true });
    expect(error.retryAfterSeconds).toBe(seconds);
    expect(peer.requests).toHaveLength(1);
  });

  test('that redirects is PINGUP_REJECTED, and its target is never asked', async () => {
    await using target = await startHttpPeer(answerWith(200, accepted));
    for (const status of [301, 302, 303, 307, 308]) {
      await using peer = await startHttpPeer(
        answerWith(status, '', { location: `${target.url}/acme/messages` }),
      );
      await using pingup = connect(peer.url);
      expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'PINGUP_REJECTED' });
    }
    expect(target.connections).toBe(0);
  });

  test('may be 64 KiB long, and is SEND_OUTCOME_UNKNOWN beyond', async () => {
    const bodyOf = (bytes: number) => accepted + ' '.repeat(bytes - accepted.length);
    await using peer = await startHttpPeer((request, response) => {
      response.end(bodyOf(Number(JSON.parse(request.body).text_message)));
    });
    await using pingup = connect(peer.url);
    expect(await pingup.sendText({ ...text, textMessage: '65536' })).toBe('id-1');
    const error = await failureOf(pingup.sendText({ ...text, textMessage: '65537' }));
    expect(error.code).toBe('SEND_OUTCOME_UNKNOWN');
    expect(peer.requests).toHaveLength(2);
  });

  test('outside 2xx is understood by its status, whatever becomes of its body', async () => {
    await using peer = await startTcpPeer((socket) => {
      socket.write(rawAnswer('400 Bad Request\r\ncontent-length: 1000', 'the rest never comes'));
    });
    await using pingup = connect(peer.url);
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'PINGUP_REJECTED' });
  });

  test('is the one after an early hint', async () => {
    const response = `content-length: ${accepted.length}`;
    await using peer = await startTcpPeer((socket) => {
      socket.write(rawAnswer('103 Early Hints') + rawAnswer(`200 OK\r\n${response}`, accepted));
    });
    await using pingup = connect(peer.url);
    expect(await pingup.sendText(text)).toBe('id-1');
  });

  test('never shows Pingup’s words, the address or the key in the error’s message', async () => {
    await using peer = await startHttpPeer((request, response) => {
      response
        .writeHead(Number(JSON.parse(request.body).text_message))
        .end(`${apiKey} ${peer.url} upstream words`);
    });
    await using pingup = connect(peer.url);
    for (const status of ['200', '302', '400', '429', '500']) {
      const { message } = await failureOf(pingup.sendText({ ...text, textMessage: status }));
      expect(message).not.toMatch(/secret|127\.0\.0\.1|http:|upstream|acme/);
    }
  });
});

describe.concurrent('a request that may have left is SEND_OUTCOME_UNKNOWN, and was made once,', () => {
  const timeoutMs = 2_000;

  test.each<[string, (socket: Socket) => void]>([
    ['when Pingup stays silent', () => undefined],
    ['when the connection is reset', (socket) => socket.resetAndDestroy()],
    ['when the connection ends without an answer', (socket) => socket.end()],
    [
      'when the connection is reset after the headers',
      (socket) => socket.write(rawAnswer('200 OK\r\ncontent-length: 50'), () => socket.resetAndDestroy()),
    ],
    [
      'when the body is cut short',
      (socket) => socket.end(rawAnswer('200 OK\r\ncontent-length: 500', accepted)),
    ],
    [
      'when the body never ends',
      (socket) => socket.write(rawAnswer('200 OK\r\ncontent-length: 500', accepted)),
    ],
    ['when the answer is not HTTP', (socket) => socket.write('220 smtp.example ESMTP\r\n')],
    ['when the status is none', (socket) => socket.write(rawAnswer('999 Strange\r\ncontent-length: 0'))],
    ['when only a hint comes', (socket) => socket.write(rawAnswer('103 Early Hints'))],
    ['when Pingup only asks it to go on', (socket) => socket.write(rawAnswer('100 Continue'))],
  ])('%s', async (_case, talk) => {
    await using peer = await startTcpPeer(talk);
    await using pingup = connect(peer.url, { timeoutMs });
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
    expect(peer.received().match(/POST /g)).toHaveLength(1);
  });

  test('when the body drips past the deadline', async () => {
    await using peer = await startTcpPeer(async (socket) => {
      socket.write(rawAnswer('200 OK\r\ncontent-length: 10000'));
      while (!socket.destroyed) {
        socket.write(' ');
        await delay(20);
      }
    });
    await using pingup = connect(peer.url, { timeoutMs });
    const start = performance.now();
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
    expect(performance.now() - start).toBeGreaterThanOrEqual(timeoutMs * 0.95);
    expect(peer.received().match(/POST /g)).toHaveLength(1);
  });

  test('when the client is closed under it', async () => {
    const arrived = Promise.withResolvers<void>();
    await using peer = await startHttpPeer(() => arrived.resolve());
    const pingup = connect(peer.url);
    const failure = failureOf(pingup.sendText(text));
    await arrived.promise;
    await pingup[Symbol.asyncDispose]();
    expect(await failure).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
    expect(peer.requests).toHaveLength(1);
  });
});

describe('a request that has not left', () => {
  test('is made by itself once Pingup can be reached again, and once only', async () => {
    const { port, url } = await unusedAddress();
    const refused = Promise.withResolvers<void>();
    await using pingup = connect(url, { log: { debug: () => refused.resolve() } });
    const sent = pingup.sendText(text);
    await refused.promise;
    await using peer = await startHttpPeer(answerWith(200, accepted), port);
    expect(await sent).toBe('id-1');
    expect(peer.requests).toHaveLength(1);
  });

  test('is made for at most 2 s by itself, then PINGUP_UNAVAILABLE, whatever its deadline', async () => {
    const { url } = await unusedAddress();
    const repeats: unknown[] = [];
    const debug = (what: unknown) => void repeats.push(what);
    await using pingup = connect(url, { timeoutMs: 120_000, log: { debug } });
    const error = await failureOf(pingup.sendText(text));
    expect(error).toMatchObject({ code: 'PINGUP_UNAVAILABLE', retryable: true });
    expect(error.message).toBe('Pingup cannot be reached; nothing was sent.');
    // With pauses of 50, 100, 200, … ms no more fit into 2 s.
    expect(repeats.length).toBeLessThanOrEqual(5);
  });

  test('is not made again where connecting hangs until the time for repeats is over', async () => {
    await using peer = await startTcpPeer(() => undefined);
    const url = `https://127.0.0.1:${peer.port}`;
    await using pingup = connect(url, { timeoutMs: 120_000, repeatMs: 100 });
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'PINGUP_UNAVAILABLE' });
    expect(peer.sockets.length).toBeLessThanOrEqual(2);
    expect(peer.received()).not.toContain('Hello');
  });

  test('is PINGUP_UNAVAILABLE where nobody listens until the deadline', async () => {
    const { url } = await unusedAddress();
    await using pingup = connect(url, { timeoutMs: 500 });
    const error = await failureOf(pingup.sendText(text));
    expect(error).toMatchObject({ code: 'PINGUP_UNAVAILABLE', retryable: true });
    expect(error.message).not.toContain('127.0.0.1');
  });

  test('is PINGUP_UNAVAILABLE where the certificate is not trusted', async () => {
    const server = createTlsServer(untrusted, (socket) => socket.on('data', () => arrived.push('data')));
    const arrived: string[] = [];
    server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await using pingup = connect(`https://127.0.0.1:${port}`, { timeoutMs: 500 });
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'PINGUP_UNAVAILABLE' });
    expect(arrived).toEqual([]);
    server.close();
  });

  test.each<[string, (socket: Socket) => void]>([
    ['breaks off', (socket) => socket.destroy()],
    ['does not speak TLS', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['never answers', () => undefined],
  ])('is PINGUP_UNAVAILABLE where the TLS handshake %s', async (_case, talk) => {
    await using peer = await startTcpPeer(talk);
    await using pingup = connect(`https://127.0.0.1:${peer.port}`, { timeoutMs: 500 });
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'PINGUP_UNAVAILABLE' });
    expect(peer.sockets.length).toBeGreaterThan(0);
    expect(peer.received()).not.toContain('Hello');
  });

  test('takes a new connection where the kept one was closed meanwhile', async () => {
    await using peer = await startTcpPeer((socket) => {
      socket.end(rawAnswer(`200 OK\r\ncontent-length: ${accepted.length}`, accepted));
    });
    await using pingup = connect(peer.url);
    for (let sent = 1; sent <= 10; sent += 1) {
      expect(await pingup.sendText(text)).toBe('id-1');
      const socket = peer.sockets.at(-1);
      if (socket && !socket.closed) await once(socket, 'close');
    }
    expect(peer.received().match(/POST /g)).toHaveLength(10);
  });

  test('is PINGUP_UNAVAILABLE at once where the client is closed', async () => {
    await using peer = await startHttpPeer(answerWith(200, accepted));
    const pingup = connect(peer.url);
    await pingup[Symbol.asyncDispose]();
    await pingup[Symbol.asyncDispose]();
    expect(await failureOf(pingup.sendText(text))).toMatchObject({ code: 'PINGUP_UNAVAILABLE' });
    expect(peer.connections).toBe(0);
  });
});

/** An address at which nobody listens. */
async function unusedAddress(): Promise<{ port: number; url: string }> {
  const port = await freePort();
  return { port, url: `http://127.0.0.1:${port}` };
}
