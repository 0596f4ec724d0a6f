import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CallbackRoomError } from '../../src/callback-room-error.ts';
import { GatewayError } from '../../src/errors.ts';
import { statusByOutcome } from '../../src/pingup/callback-outcome.ts';
import { postRaw } from '../support/post-raw.ts';
import { accountOf, startCallbackPeer, token } from './support/callback-peer.ts';

const good = '{"message_id":"id-1","status":"read"}';
const json = { 'content-type': 'application/json' };

test('what is understood is answered 200, and only once it is durable', async () => {
  await using peer = await startCallbackPeer();
  const order: string[] = [];
  peer.inbox.before = async () => {
    await nextTurn();
    order.push('durable');
  };
  const response = await peer.post(good);
  order.push('answered');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ accepted: 1 });
  expect(order).toEqual(['durable', 'answered']);
  expect(peer.inbox.received).toMatchObject([
    { news: [{ id: 'id-1', history: [{ status: 'READ' }] }], quarantined: [] },
  ]);
});

test('an empty array says nothing, and is answered 200', async () => {
  await using peer = await startCallbackPeer();
  const response = await peer.post('[]');
  expect([response.status, await response.json()]).toEqual([200, { accepted: 0 }]);
  expect(peer.inbox.received).toEqual([]);
});

describe('who is not Pingup is answered 401', () => {
  test.each([
    ['another token', `acme/another-callback-token-of-it`],
    ['a token cut short', `acme/${token.slice(0, -1)}`],
    ['a token and more', `acme/${token}x`],
    ['a token and a slash', `acme/${token}/`],
    ['no token', 'acme/'],
    ['another business', `acne/${token}`],
    ['no business', token],
    ['nothing', ''],
  ])('with %s', async (_case, path) => {
    await using peer = await startCallbackPeer();
    const response = await fetch(new URL(`../${path}`, peer.url), {
      method: 'POST',
      body: good,
      headers: json,
    });
    expect(response.status).toBe(401);
    expect(peer.counts.notAuthentic).toBe(1);
    expect(peer.inbox.received).toEqual([]);
  });

  test.each([
    ['not JSON', '{', json],
    ['of another type', 'text', { 'content-type': 'text/plain' }],
    ['too large', ' '.repeat(300_000), json],
  ])('before the body is looked at: %s', async (_case, body, headers) => {
    await using peer = await startCallbackPeer();
    const response = await fetch(`${peer.url}x`, { method: 'POST', body, headers });
    expect(response.status).toBe(401);
  });

  test('before the body has come', async () => {
    await using peer = await startCallbackPeer();
    const socket = connect(peer.port, '127.0.0.1');
    socket.write(
      'POST /callbacks/pingup/acme/guess HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n',
    );
    const [head] = await once(socket, 'data');
    expect(String(head)).toContain('HTTP/1.1 401');
    socket.destroy();
  });
});

test('a header that proves something and comes twice is answered 401, whatever else is right', async () => {
  await using peer = await startCallbackPeer({
    tokenHeader: 'x-token',
    signature: { timestampHeader: 'x-time' },
  });
  const bearer = ['Authorization', `Bearer ${token}`] as const;
  const inHeader = ['X-Token', token] as const;
  const withoutToken = `${peer.base}/acme`;
  for (const headers of [[bearer], [inHeader]])
    expect((await postRaw(withoutToken, headers, good)).status).toBe(200);
  const twice = [
    [bearer, bearer],
    [bearer, ['authorization', 'Bearer guess'] as const],
    [inHeader, inHeader],
    [inHeader, bearer, bearer],
    [bearer, ['x-signature', '0'] as const, ['X-Signature', '1'] as const],
    [bearer, ['x-time', '0'] as const, ['x-time', '0'] as const],
  ];
  for (const headers of twice)
    for (const url of [withoutToken, peer.url]) expect((await postRaw(url, headers, good)).status).toBe(401);
  expect(peer.inbox.received).toHaveLength(2);
});

test('a token of 256 characters and an encoded one are known', async () => {
  await using long = await startCallbackPeer({
    accounts: [accountOf('acme', { tokens: ['x'.repeat(256)] })],
  });
  expect((await long.post(good)).status).toBe(200);
  await using peer = await startCallbackPeer();
  const encoded = peer.url.replace('a-callback', '%61-callback');
  expect((await fetch(encoded, { method: 'POST', body: good, headers: json })).status).toBe(200);
});

test.each([
  ['nothing', ''],
  ['a brace', '{'],
  ['two values', '{}{}'],
  ['a word', 'read'],
  ['a form', 'message_id=id-1&status=read'],
  ['another encoding', Buffer.from('{"message_id":"é","status":"read"}', 'latin1')],
  ['UTF-16', Buffer.from(good, 'utf16le')],
])('%s is not JSON, and answered 400', async (_case, body) => {
  await using peer = await startCallbackPeer();
  const response = await peer.post(body);
  expect(response.status).toBe(400);
  expect(peer.counts.notJson).toBe(1);
  expect(peer.inbox.received).toEqual([]);
});

test('no body at all is answered 400', async () => {
  await using peer = await startCallbackPeer();
  expect((await fetch(peer.url, { method: 'POST' })).status).toBe(400);
});

test('a byte order mark and a charset do no harm', async () => {
  await using peer = await startCallbackPeer();
  const response = await peer.post(`\ufeff${good}`, { 'content-type': 'Application/JSON; charset=utf-8' });
  expect(response.status).toBe(200);
});

test('256 KiB are taken, and one byte more is answered 413', async () => {
  await using peer = await startCallbackPeer();
  const full = good.padEnd(256 * 1024);
  expect((await peer.post(full)).status).toBe(200);
  expect((await peer.post(`${full} `)).status).toBe(413);
  const streamed = new Blob([full, ' ']).stream();
  const response = await fetch(peer.url, { method: 'POST', body: streamed, headers: json, duplex: 'half' });
  expect(response.status).toBe(413);
  expect(peer.counts).toMatchObject({ understood: 1, tooLarge: 2 });
});

test.each([
  {},
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/x-www-form-urlencoded' },
  { 'content-type': '?' },
])('a body with the headers %o is answered 415', async (headers) => {
  await using peer = await startCallbackPeer();
  const response = await peer.post(good, headers);
  expect(response.status).toBe(415);
  expect(peer.counts.otherContentType).toBe(1);
});

test('callbacks of another content type with a right token are logged once a minute, with what to do', async () => {
  await using peer = await startCallbackPeer();
  const headers = { 'content-type': 'text/xml' };
  for (let n = 0; n < 3; n += 1) await peer.post(good, headers);
  await fetch(`${peer.base}/acme/no-token-of-ours-at-all`, { method: 'POST', body: good, headers });
  const lines = peer.lines.filter((line) => line.includes('content type')).map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    {
      level: 40,
      business: 'acme',
      contentType: 'text/xml',
      suppressed: 0,
      msg: expect.stringContaining('application/json'),
    },
  ]);
});

test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  '%s is answered 405, and told of POST',
  async (method) => {
    await using peer = await startCallbackPeer();
    const response = await fetch(peer.url, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(peer.counts.otherMethod).toBe(1);
  },
);

describe('what is not understood', () => {
  test('is kept raw in quarantine, counted, logged once, and answered 422', async () => {
    await using peer = await startCallbackPeer();
    const body = '{ "message_id": "id-1", "status": "postponed" }';
    const response = await peer.post(body);
    expect(response.status).toBe(422);
    const expected = 'a status at /status or /data/status: sent, received, delivered, read, failed';
    expect(await response.json()).toEqual({
      accepted: 0,
      quarantined: true,
      faults: [{ index: 0, expected }],
    });
    expect(peer.inbox.received).toEqual([
      {
        news: [],
        quarantined: [
          {
            business: 'acme',
            raw: body,
            reason: `[0]: expected ${expected}`,
            receivedAt: expect.any(Number),
          },
        ],
      },
    ]);
    expect(peer.counts.notUnderstood).toBe(1);
    expect(peer.lines.filter((line) => line.includes('quarantine'))).toHaveLength(1);
  });

  test('does not spoil the rest of its array, and goes to the store with it in one call', async () => {
    await using peer = await startCallbackPeer();
    const body = `[${good},{"message_id":"id-2"},${good.replace('id-1', 'id-3')},7]`;
    const response = await peer.post(body);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      accepted: 2,
      faults: [{ index: 1 }, { index: 3, expected: 'an object' }],
    });
    expect(peer.inbox.received).toMatchObject([
      {
        news: [{ id: 'id-1' }, { id: 'id-3' }],
        quarantined: [
          {
            raw: '[{"message_id":"id-2"},7]',
            reason: expect.stringMatching(/^\[0\]: expected a status .*; \[1\]: expected an object$/),
          },
        ],
      },
    ]);
  });

  test('a business that has no room is answered 503 with Retry-After, and is not the store that is down', async () => {
    await using peer = await startCallbackPeer();
    peer.inbox.before = () => Promise.reject(new CallbackRoomError('acme'));
    const response = await peer.post(good);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(peer.lines.filter((line) => line.includes('cannot be recorded'))).toEqual([]);
  });

  test('is told with its first 20 faults', async () => {
    await using peer = await startCallbackPeer();
    const response = await peer.post(JSON.stringify(Array.from({ length: 5_000 }, () => 7)));
    const { faults } = (await response.json()) as { faults: unknown[] };
    expect(faults).toHaveLength(20);
    expect(peer.inbox.received[0]?.quarantined[0]?.reason.length).toBeLessThanOrEqual(1_024);
  });

  test('is answered 503 while it cannot be kept', async () => {
    await using peer = await startCallbackPeer();
    peer.inbox.before = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'full'));
    expect((await peer.post('{}')).status).toBe(503);
    expect(peer.counts).toMatchObject({ notUnderstood: 0, notRecorded: 1 });
  });
});

test('while the store is down it is answered 503 with Retry-After, said once, and taken again later', async () => {
  await using peer = await startCallbackPeer();
  peer.inbox.before = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE', 'The disk is full.'));
  for (let repeat = 0; repeat < 3; repeat += 1) {
    const response = await peer.post(good);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  peer.inbox.before = async () => undefined;
  expect((await peer.post(good)).status).toBe(200);
  expect((await peer.post(good)).status).toBe(200);
  expect(peer.counts).toMatchObject({ understood: 2, notRecorded: 3 });
  expect(peer.lines.filter((line) => line.includes('cannot be recorded'))).toHaveLength(1);
  expect(peer.lines.filter((line) => line.includes('recorded again'))).toHaveLength(1);
});

test('the token is in no log line and in no answer', async () => {
  await using peer = await startCallbackPeer();
  const answers = [
    await peer.post(good),
    await peer.post('{}'),
    await peer.post('{'),
    await peer.post(good, { 'content-type': 'text/plain' }),
    await peer.post(' '.repeat(300_000)),
    await fetch(peer.url),
    await fetch(`${peer.url}/`, { method: 'POST' }),
    await fetch(peer.url.replace('acme', 'acne'), { method: 'POST' }),
  ];
  peer.inbox.before = () => Promise.reject(new Error('unforeseen'));
  answers.push(await peer.post(good));
  expect(answers.map(({ status }) => status)).toEqual([200, 422, 400, 415, 413, 405, 401, 401, 503]);
  expect(peer.lines.length).toBeGreaterThan(answers.length);
  for (const told of [...peer.lines, ...(await Promise.all(answers.map((answer) => answer.text())))])
    expect(told).not.toContain(token);
});

test('a body that breaks off is recorded nowhere, and the door stays open', async () => {
  await using peer = await startCallbackPeer();
  const socket = connect(peer.port, '127.0.0.1');
  const { pathname } = new URL(peer.url);
  socket.end(
    `POST ${pathname} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n${good}`,
  );
  await readText(socket).catch(() => '');
  expect((await peer.post(good)).status).toBe(200);
  expect(peer.inbox.received).toHaveLength(1);
});

interface Answer {
  readonly accepted: number;
  readonly faults?: readonly { readonly index: number }[];
}

/** What is to be kept of a body: of an array the elements with faults. */
function remainderOf(body: unknown, faults: NonNullable<Answer['faults']>): string {
  const isFaulty = (_: unknown, at: number) => faults.some(({ index }) => index === at);
  return JSON.stringify(Array.isArray(body) ? body.filter(isFaulty) : body);
}

test('whatever JSON comes is answered 200 or 422, and what is not understood of it is kept raw', async () => {
  await using peer = await startCallbackPeer();
  const id = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.double(), fc.constant(null));
  const word = fc.oneof(
    fc.constantFrom('sent', 'READ', ' failed ', 'Delivered', 'toString', '__proto__'),
    fc.string(),
  );
  const flat = fc.record(
    { message_id: id, status: word, timestamp: fc.jsonValue(), error: fc.jsonValue(), reason: fc.string() },
    { requiredKeys: [] },
  );
  const element = fc.oneof(flat, fc.record({ data: flat }), fc.jsonValue());
  const body = fc.oneof(element, fc.array(element, { maxLength: 6 }));
  const settings = { numRuns: 3_000 };
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const raw = JSON.stringify(value);
      const response = await peer.post(raw);
      const { accepted, faults = [] } = (await response.json()) as Answer;
      const { news = [], quarantined = [] } = peer.inbox.received.pop() ?? {};
      expect([statusByOutcome.understood, statusByOutcome.notUnderstood]).toContain(response.status);
      expect(quarantined.map((kept) => kept.raw)).toEqual(
        response.status === 422 ? [remainderOf(value, faults)] : [],
      );
      expect(news.length).toBeLessThanOrEqual(accepted);
      for (const { id, history } of news) {
        expect(id.isWellFormed() && id.length > 0 && id.length <= 256).toBe(true);
        expect(history.every(({ at }) => Number.isSafeInteger(at))).toBe(true);
      }
    }),
    settings,
  );
});
