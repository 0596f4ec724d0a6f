import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountOf, type CallbackPeer, startCallbackPeer, token } from './support/callback-peer.ts';

const good = '{"message_id":"id-1","status":"read"}';
const json = { 'content-type': 'application/json' };
const secret = 'a-secret-to-sign-with';
const other = 'the-token-of-before-the-change';

function post(url: string, headers: Record<string, string> = {}, body = good): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { ...json, ...headers } });
}

async function statusOf(url: string, headers?: Record<string, string>, body?: string): Promise<number> {
  return (await post(url, headers, body)).status;
}

function sign(content: string): string {
  return createHmac('sha256', secret).update(content).digest('hex');
}

/** The line that says which check failed. */
function refusals({ lines }: CallbackPeer): unknown[] {
  return lines.filter((line) => line.includes('callbacks are refused')).map((line) => JSON.parse(line));
}

describe('the token', () => {
  test('is taken from the address, from Authorization: Bearer, and from the configured header', async () => {
    await using peer = await startCallbackPeer({ tokenHeader: 'x-callback-token' });
    const address = `${peer.base}/acme`;
    expect(await statusOf(`${address}/${token}`)).toBe(200);
    expect(await statusOf(address, { authorization: `Bearer ${token}` })).toBe(200);
    expect(await statusOf(`${address}/`, { authorization: `bearer ${token}` })).toBe(200);
    expect(await statusOf(address, { 'X-Callback-Token': token })).toBe(200);
    expect(await statusOf(address)).toBe(401);
    expect(await statusOf(address, { authorization: `Basic ${token}` })).toBe(401);
    expect(await statusOf(address, { 'x-another-header': token })).toBe(401);
    expect(await statusOf(`${address}?token=${token}`)).toBe(401);
  });

  test('is looked for in no header that is not configured', async () => {
    await using peer = await startCallbackPeer();
    expect(await statusOf(`${peer.base}/acme`, { 'x-callback-token': token })).toBe(401);
  });

  test('in the first place that has one decides', async () => {
    await using peer = await startCallbackPeer({ tokenHeader: 'x-callback-token' });
    const right = { authorization: `Bearer ${token}`, 'x-callback-token': token };
    expect(await statusOf(`${peer.base}/acme/wrong`, right)).toBe(401);
    expect(await statusOf(`${peer.base}/acme`, { ...right, 'x-callback-token': 'wrong' })).toBe(401);
    expect(await statusOf(`${peer.base}/acme`, { ...right, authorization: 'Bearer wrong' })).toBe(200);
  });

  test('may be either of two, so that one can take the other’s place', async () => {
    await using peer = await startCallbackPeer({ accounts: [accountOf('acme', { tokens: [token, other] })] });
    expect(await statusOf(`${peer.base}/acme/${token}`)).toBe(200);
    expect(await statusOf(`${peer.base}/acme/${other}`)).toBe(200);
    expect(await statusOf(`${peer.base}/acme/${token}${other}`)).toBe(401);
  });

  test('of one business is none of another’s, and what comes with it is recorded for its own', async () => {
    await using peer = await startCallbackPeer({
      accounts: [accountOf('acme'), accountOf('beta', { tokens: [other] })],
    });
    expect(await statusOf(`${peer.base}/acme/${token}`)).toBe(200);
    expect(await statusOf(`${peer.base}/beta/${other}`)).toBe(200);
    expect(await statusOf(`${peer.base}/acme/${other}`)).toBe(401);
    expect(await statusOf(`${peer.base}/beta/${token}`)).toBe(401);
    expect(await statusOf(`${peer.base}/beta/${other}`, {}, '{}')).toBe(422);
    expect(peer.inbox.received).toMatchObject([
      { news: [{ business: 'acme', id: 'id-1' }] },
      { news: [{ business: 'beta', id: 'id-1' }] },
      { news: [], quarantined: [{ business: 'beta', raw: '{}' }] },
    ]);
  });

  test('that is wrong and a business that there is not are answered alike', async () => {
    await using peer = await startCallbackPeer();
    const [wrong, unknown] = await Promise.all([
      post(`${peer.base}/acme/guess`),
      post(`${peer.base}/acne/guess`),
    ]);
    const shownBy = async (answer: Response) => [
      answer.status,
      [...answer.headers].filter(([name]) => name !== 'date'),
      await answer.text(),
    ];
    expect(await shownBy(wrong)).toEqual(await shownBy(unknown));
  });
});

describe('a signature', () => {
  const accounts = [accountOf('acme', { hmacSecret: secret })];

  test('is required besides the token, where the account has a secret', async () => {
    await using peer = await startCallbackPeer({ accounts, signature: { prefix: 'sha256=' } });
    const signed = { 'x-signature': `sha256=${sign(good)}` };
    expect(await statusOf(peer.url, signed)).toBe(200);
    expect(await statusOf(peer.url)).toBe(401);
    expect(await statusOf(peer.url, { 'x-signature': sign(good) })).toBe(401);
    expect(await statusOf(peer.url, signed, good.replace('read', 'sent'))).toBe(401);
    expect(await statusOf(`${peer.base}/acme/wrong`, signed)).toBe(401);
    expect(peer.counts).toMatchObject({ understood: 1, notAuthentic: 4 });
    expect(peer.inbox.received).toHaveLength(1);
  });

  test('is over the bytes as they came', async () => {
    await using peer = await startCallbackPeer({ accounts });
    const spaced = `\n [${good} ]\r\n`;
    expect(await statusOf(peer.url, { 'x-signature': sign(spaced) }, spaced)).toBe(200);
    expect(await statusOf(peer.url, { 'x-signature': sign(spaced.trim()) }, spaced)).toBe(401);
  });

  test('with a signed time holds for 5 minutes, so a callback that is overheard cannot be repeated later', async () => {
    await using peer = await startCallbackPeer({ accounts, signature: { timestampHeader: 'x-time' } });
    async function at(seconds: number): Promise<number> {
      const time = String(Math.floor(Date.now() / 1000) + seconds);
      return statusOf(peer.url, { 'x-time': time, 'x-signature': sign(`${time}.${good}`) });
    }
    expect([await at(0), await at(-290), await at(290)]).toEqual([200, 200, 200]);
    expect([await at(-310), await at(310)]).toEqual([401, 401]);
    expect(await statusOf(peer.url, { 'x-signature': sign(good) })).toBe(401);
    expect(refusals(peer)).toMatchObject([{ failed: 'timestamp', business: 'acme' }]);
  });

  test('that is good makes no JSON of what is none', async () => {
    await using peer = await startCallbackPeer({ accounts });
    expect(await statusOf(peer.url, { 'x-signature': sign('{') }, '{')).toBe(400);
    expect(await statusOf(peer.url, { 'x-signature': sign('') }, '')).toBe(400);
  });
});

describe('the network', () => {
  test('is checked with everything else right, and before the body has come', async () => {
    await using peer = await startCallbackPeer({ networks: ['192.0.2.0/24'] });
    const socket = connect(peer.port, '127.0.0.1');
    const { pathname } = new URL(peer.url);
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('HTTP/1.1 401');
    socket.destroy();
    expect(refusals(peer)).toMatchObject([{ failed: 'network', business: null, suppressed: 0 }]);
  });

  test('is that of the connection, whatever X-Forwarded-For says, unless it comes from a trusted proxy', async () => {
    const networks = ['192.0.2.0/24'];
    const inside = { 'x-forwarded-for': '192.0.2.7' };
    await using direct = await startCallbackPeer({ networks });
    expect(await statusOf(direct.url, inside)).toBe(401);
    await using proxied = await startCallbackPeer({ networks, trustedProxies: ['127.0.0.1'] });
    expect(await statusOf(proxied.url, inside)).toBe(200);
    expect(await statusOf(proxied.url, { 'x-forwarded-for': '192.0.2.7, 203.0.113.1' })).toBe(401);
    expect(await statusOf(proxied.url, { 'x-forwarded-for': 'nonsense' })).toBe(401);
    await using local = await startCallbackPeer({ networks: ['127.0.0.1'] });
    expect(await statusOf(local.url)).toBe(200);
  });
});

test('which check failed is in the log, once a minute for each, without a token; the answers are one', async () => {
  const accounts = [accountOf('acme', { hmacSecret: secret })];
  await using peer = await startCallbackPeer({ accounts });
  const answers = [];
  for (let turn = 0; turn < 5; turn += 1) {
    answers.push(await post(`${peer.base}/acme/${token.toUpperCase()}`));
    answers.push(await post(peer.url, { 'x-signature': 'zzsignature' }));
  }
  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  expect(new Set(bodies).size).toBe(1);
  expect(refusals(peer)).toMatchObject([
    { level: 40, failed: 'token', business: null },
    { level: 40, failed: 'signature', business: 'acme' },
  ]);
  for (const line of peer.lines)
    expect(line.toLowerCase()).not.toMatch(/a-callback-token|zzsignature|to-sign/);
});

test('10,000 callbacks of any path, header and body: never a 5xx, never a crash, and what is answered 200 is recorded', async () => {
  const accounts = [accountOf('acme'), accountOf('beta', { tokens: [other], hmacSecret: secret })];
  await using peer = await startCallbackPeer({ accounts, tokenHeader: 'x-callback-token' });
  const segment = fc.oneof(
    fc.constantFrom('acme', 'beta', token, other, '', '.', '..', '%2e%2e', '%', '%zz', '__proto__'),
    fc.string({ unit: 'grapheme' }).map(encodeURIComponent),
  );
  const path = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(`/acme/${token}`, `/beta/${other}`, '/acme', '/beta') },
    { weight: 1, arbitrary: fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`) },
  );
  // Of the others, the client itself makes no header.
  const byte = fc
    .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0xa0, max: 0xff }))
    .map((code) => String.fromCharCode(code));
  const value = fc.oneof(
    fc.constantFrom(`Bearer ${token}`, `Bearer ${other}`, token, other, 'application/json', 'text/plain'),
    fc.string({ unit: byte }),
  );
  const headers = fc.record(
    { authorization: value, 'x-callback-token': value, 'content-type': value, 'x-signature': value },
    { requiredKeys: [] },
  );
  const element = fc.record(
    {
      message_id: fc.oneof(fc.string(), fc.integer()),
      status: fc.oneof(fc.constantFrom('sent', 'read', 'failed'), fc.string()),
      timestamp: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    fc.constant(Buffer.from(good)),
    element.map((one) => Buffer.from(JSON.stringify(one))),
    fc.jsonValue().map((any) => Buffer.from(JSON.stringify(any))),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
  const call = fc.record({ path, headers, body, typed: fc.boolean(), signed: fc.boolean() });
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(call, async ({ path, headers, body, typed, signed }) => {
      const response = await fetch(peer.base + path, {
        method: 'POST',
        body,
        headers: {
          ...headers,
          ...(typed && json),
          ...(signed && { 'x-signature': createHmac('sha256', secret).update(body).digest('hex') }),
        },
      });
      const { news = [], quarantined = [] } = peer.inbox.received.pop() ?? {};
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      expect(response.status).toBeLessThan(500);
      const answer: { accepted?: number } = response.ok ? ((await response.json()) as object) : {};
      if (!response.ok) await response.body?.cancel();
      const kept = response.status === 200 ? answer.accepted : 0;
      if (response.status === 200) expect(news).toHaveLength(Number(kept));
      else if (response.status === 422) expect(quarantined).toMatchObject([{ raw: String(body) }]);
      else expect([news, quarantined]).toEqual([[], []]);
      const [, business] = path.split('/');
      for (const { business: recorded } of [...news, ...quarantined]) expect(recorded).toBe(business);
    }),
    { numRuns: 10_000 },
  );
  for (const status of [200, 400, 401, 415, 422]) expect(statuses.get(status)).toBeGreaterThan(50);
});
