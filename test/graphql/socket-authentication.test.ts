import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { anyone, type Caller } from '../../src/caller.ts';
import type { Messaging } from '../../src/messaging.ts';
import { news } from '../store/samples.ts';
import { apiKeyEntry, writeApiKeys } from '../support/api-keys.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect } from '../support/graphql-client.ts';
import { fail, startKeyServer } from '../support/key-server.ts';
import { audience, authEnv, type Claims, createSigner, issuer, secondsFromNow } from '../support/signer.ts';
import { serveGraphql } from './serve-graphql.ts';

const signer = await createSigner();
const watchQuery = 'subscription ($id: ID!) { messageStatus(messageId: $id) { id status revision } }';

async function authorize(claims: Claims = {}): Promise<string> {
  return `Bearer ${await signer.sign({ businesses: '*', ...claims })}`;
}

function startGuarded(env: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  return startTestGateway({ env: { ...authEnv(signer), ...env } });
}

/** The code and reason with which a socket closes that shows this. */
async function closeOf(
  { url }: { readonly url: string },
  payload: unknown,
  query = '',
): Promise<[number, string]> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql${query}`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload }));
  const [code, reason] = await once(socket, 'close');
  return [code, String(reason)];
}

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'This takes a bearer token or an API key.'],
  ['an empty payload', {}, 'This takes a bearer token or an API key.'],
  ['a token without its scheme', { authorization: 'x' }, 'What was shown is no bearer token.'],
  ['no string', { authorization: { token: 'x' } }, 'What was shown is no bearer token.'],
  ['an expired token', { authorization: await authorize({ exp: 1 }) }, 'The token has expired.'],
  ['a token under another name', { token: await authorize() }, 'This takes a bearer token or an API key.'],
])('a socket that shows %s closes with 4403 and why', async (_what, payload, sentence) => {
  await using gateway = await startGuarded();
  expect(await closeOf(gateway, payload)).toEqual([4403, `UNAUTHENTICATED: ${sentence}`]);
});

test('a token in the address of a socket is none', async () => {
  await using gateway = await startGuarded();
  const token = encodeURIComponent(await authorize());
  expect((await closeOf(gateway, undefined, `?authorization=${token}&access_token=${token}`))[0]).toBe(4403);
});

test('while the keys cannot be had, a socket closes with 1013, from which clients come back', async () => {
  await using server = await startKeyServer();
  server.answer(fail);
  const env = { AUTH_JWKS_URL: server.url.href, AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience };
  await using gateway = await startTestGateway({ env });
  const [code, reason] = await closeOf(gateway, { authorization: await authorize() });
  expect([code, reason.split(':')[0]]).toEqual([1013, 'AUTHENTICATION_UNAVAILABLE']);
});

test('a socket whose token expires closes with 4403, whatever it does at that moment', async () => {
  await using gateway = await startGuarded({ MESSAGES_PER_SECOND: '1000000' });
  const id = 'm';
  await gateway.callBack({ message_id: id, status: 'sent' });
  const exp = secondsFromNow(2);
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  let frames = 0;
  socket.on('message', () => {
    frames += 1;
  });
  const closed = once(socket, 'close');
  socket.send(
    JSON.stringify({ type: 'connection_init', payload: { authorization: await authorize({ exp }) } }),
  );
  await once(socket, 'message');

  let operation = 0;
  while (socket.readyState === socket.OPEN) {
    operation += 1;
    const payload = { query: watchQuery, variables: { id } };
    socket.send(JSON.stringify({ id: String(operation), type: 'subscribe', payload }));
    await gateway.callBack({ message_id: `m${operation}`, status: 'sent' });
  }
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([4403, 'UNAUTHENTICATED: The token has expired.']);
  expect(frames).toBeGreaterThan(3);
});

test('an idle socket closes by itself once its token has expired, and not before', async () => {
  await using gateway = await startGuarded();
  const exp = secondsFromNow(2);
  expect((await closeOf(gateway, { authorization: await authorize({ exp }) }))[0]).toBe(4403);
  expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000);
});

/** Both transports before a flow that counts, for a caller whose expiry the test moves. */
async function serveMovable(messaging: Partial<Messaging>) {
  const caller: { -readonly [name in keyof Caller]: Caller[name] } = { ...anyone };
  const gateway = await serveGraphql({ messaging, authenticate: () => caller });
  return { ...gateway, caller };
}

test('once its clock is past the expiry, a socket gets no state, however the clock came there', async () => {
  const later = Promise.withResolvers<IteratorResult<ReturnType<typeof news>, undefined>>();
  const states = [Promise.resolve({ done: false as const, value: news('m', 'SENT') }), later.promise];
  const watch: Messaging['watch'] = async () => {
    const iterator: AsyncIterableIterator<ReturnType<typeof news>, undefined> = {
      next: () => states.shift() ?? Promise.resolve({ done: true, value: undefined }),
      return: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  };
  await using gateway = await serveMovable({ watch });
  await using client = connect(gateway.url, 'Bearer x');
  const watched = client.iterate({ query: watchQuery, variables: { id: 'm' } });
  expect((await watched.next()).value?.data).toMatchObject({ messageStatus: { status: 'SENT' } });
  gateway.caller.expiresAt = Date.now() - 1;
  later.resolve({ done: false, value: news('m', 'READ') });
  await expect(watched.next()).rejects.toMatchObject({ code: 4403 });
});

test('once its token has expired, a socket begins nothing', async () => {
  let begun = 0;
  const find: Messaging['find'] = async () => {
    begun += 1;
    return undefined;
  };
  await using gateway = await serveMovable({ find });
  await using client = connect(gateway.url, 'Bearer x');
  const ask = () => client.iterate({ query: '{ message(id: "m") { id } }' }).next();
  const idle = client.iterate({ query: '{ message(id: "n") { id } }' });
  await Promise.all([ask(), idle.next()]);
  expect(begun).toBe(2);
  gateway.caller.expiresAt = 0;
  await expect(ask()).rejects.toMatchObject({ code: 4403 });
  expect(begun).toBe(2);
});

test('the socket of an API key that is taken back closes with 4403', async () => {
  await using file = await writeApiKeys({ crm: apiKeyEntry('crm-key', { businesses: '*' }) });
  await using gateway = await startTestGateway({ env: { AUTH_API_KEYS_FILE: file.path } });
  const closed = closeOf(gateway, { authorization: 'Bearer crm-key' });
  await expect.poll(() => gateway.load().sockets).toBe(1);
  await file.write({ crm: apiKeyEntry('another-key', { businesses: '*' }) });
  await gateway.reload();
  expect((await closed)[0]).toBe(4403);
});

test('a client with a fresh token each time resumes without loss: every message ends at READ, and no state goes back', async () => {
  await using gateway = await startGuarded();
  const ids = Array.from({ length: 20 }, (_, index) => `m${index}`);
  await Promise.all(ids.map((id) => gateway.callBack({ message_id: id, status: 'sent' })));

  const closes: number[] = [];
  await using parts = new AsyncDisposableStack();
  const client = createClient({
    url: `${gateway.url.replace('http', 'ws')}/graphql`,
    connectionParams: async () => ({ authorization: await authorize({ exp: secondsFromNow(2) }) }),
    retryWait: async () => {},
    on: { closed: (event) => closes.push((event as { code: number }).code) },
  });
  parts.defer(() => client.dispose());
  const watches = ids.map(async (id) => {
    const states: unknown[] = [];
    for await (const { data } of client.iterate({ query: watchQuery, variables: { id } }))
      states.push(data?.['messageStatus']);
    return states as { id: string; status: string; revision: number }[];
  });

  const statuses = ['delivered', 'read'];
  for (const [round, status] of statuses.entries()) {
    for (const id of ids) await gateway.callBack({ message_id: id, status });
    if (status !== 'read') await expect.poll(() => closes.length).toBeGreaterThan(round + 1);
  }
  const seen = await Promise.all(watches);
  for (const states of seen) {
    expect(states.at(-1)?.status).toBe('READ');
    const revisions = states.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  }
  expect(closes.filter((code) => code === 4403).length).toBeGreaterThanOrEqual(2);
});
