import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Account, AccountLimits } from '../../src/account.ts';
import { type AccountsClient, createAccountsClient } from '../../src/pingup/accounts-client.ts';
import { accountsOf } from './support/callback-peer.ts';
import { startHttpPeer } from './support/peers.ts';
import { accepted, failureOf, text, traceparent } from './support/pingup.ts';

const limits: AccountLimits = { concurrency: 8, maxWaiting: 8, sendsPerSecond: null };

function account(business: string, baseUrl: string, more: Partial<Account> = {}): Account {
  const callback = { tokens: [`token-of-${business}`], hmacSecret: null };
  return { business, apiKey: `key-of-${business}`, baseUrl, limits, callback, ...more };
}

/** A client over accounts that a test may change, and then is to be followed. */
function connect(...accounts: readonly Account[]) {
  let known = accountsOf(...accounts);
  const lines: string[] = [];
  const client = createAccountsClient({
    accounts: { businesses: () => known.businesses(), find: (business) => known.find(business) },
    timeoutMs: 5_000,
    baseUrl: null,
    callbackUrlOf: () => null,
    log: pino({ level: 'debug' }, { write: (line) => lines.push(line) }),
  });
  return {
    client,
    lines,
    change(...others: readonly Account[]) {
      known = accountsOf(...others);
      client.follow();
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function send(client: AccountsClient, business: string): Promise<string> {
  return client.sendText(text, { business, traceparent });
}

test('each business sends with its own key, to its own address', async () => {
  await using one = await startHttpPeer((_request, response) => response.end(accepted));
  await using other = await startHttpPeer((_request, response) => response.end(accepted));
  await using pingup = connect(
    account('acme', one.url),
    account('beta', one.url),
    account('zeta', other.url),
  );
  for (const business of ['acme', 'beta', 'zeta']) await send(pingup.client, business);
  const asked = [...one.requests, ...other.requests];
  expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ['/acme/messages', 'Bearer key-of-acme'],
    ['/beta/messages', 'Bearer key-of-beta'],
    ['/zeta/messages', 'Bearer key-of-zeta'],
  ]);
});

test('a 429, a refused key and an outage of one business are none of another’s', async () => {
  await using peer = await startHttpPeer(({ url }, response) => {
    if (url === '/limited/messages') response.writeHead(429, { 'retry-after': '20' }).end();
    else if (url === '/refused/messages') response.writeHead(401).end();
    else if (url === '/down/messages') response.writeHead(503).end();
    else response.end(accepted);
  });
  const names = ['limited', 'refused', 'down', 'well'];
  await using pingup = connect(...names.map((business) => account(business, peer.url)));
  for (let count = 0; count < 12; count += 1)
    await Promise.allSettled(names.map((business) => send(pingup.client, business)));
  const atRest = { breaker: 'closed', credentials: 'ok', queued: 0, running: 0 };
  expect(pingup.client.health()).toEqual({
    limited: atRest,
    refused: { ...atRest, credentials: 'refused' },
    down: { ...atRest, breaker: 'open' },
    well: atRest,
  });
  const asked = (business: string) =>
    peer.requests.filter(({ url }) => url === `/${business}/messages`).length;
  expect(names.map(asked)).toEqual([1, 12, 10, 12]);
  const told = pingup.lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 40);
  expect(told.map(({ business }) => business).sort()).toEqual(['down', 'refused']);
});

test('the rate of one business is its own', async () => {
  await using peer = await startHttpPeer((_request, response) => response.end(accepted));
  const slow = { limits: { concurrency: 8, maxWaiting: 1, sendsPerSecond: 1 } };
  await using pingup = connect(account('slow', peer.url, slow), account('fast', peer.url));
  const sends = Promise.allSettled(Array.from({ length: 3 }, () => send(pingup.client, 'slow')));
  for (let count = 0; count < 20; count += 1) expect(await send(pingup.client, 'fast')).toBe('id-1');
  expect((await sends).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
});

test('a send that is under way ends with the key that it began with, and later ones have the new one', async () => {
  const answer = Promise.withResolvers<void>();
  await using peer = await startHttpPeer(async ({ headers }, response) => {
    if (headers.authorization === 'Bearer key-of-acme') await answer.promise;
    response.end(accepted);
  });
  await using pingup = connect(account('acme', peer.url));
  const begun = send(pingup.client, 'acme');
  await expect.poll(() => peer.requests.length).toBe(1);
  pingup.change(account('acme', peer.url, { apiKey: 'another-key' }));
  expect(await send(pingup.client, 'acme')).toBe('id-1');
  expect(peer.open).toBe(2);
  answer.resolve();
  expect(await begun).toBe('id-1');
  // Its connection is closed at once, not when it has idled.
  await expect.poll(() => peer.open).toBe(1);
  expect(peer.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer key-of-acme',
    'Bearer another-key',
  ]);
});

test('what its sends do not need may change, and an account keeps its breaker', async () => {
  await using peer = await startHttpPeer((_request, response) => response.writeHead(503).end());
  const acme = account('acme', peer.url);
  await using pingup = connect(acme);
  for (let count = 0; count < 10; count += 1) await failureOf(send(pingup.client, 'acme'));
  pingup.change({ ...acme, callback: { tokens: ['another-token'], hmacSecret: 'secret' } });
  expect(pingup.client.health()).toMatchObject({ acme: { breaker: 'open' } });
  pingup.change({ ...acme, apiKey: 'another-key' });
  expect(pingup.client.health()).toMatchObject({ acme: { breaker: 'closed' } });
});

test('a business that has gone sends nothing, and says so in a way that is safe to repeat', async () => {
  await using peer = await startHttpPeer((_request, response) => response.end(accepted));
  await using pingup = connect(account('acme', peer.url), account('beta', peer.url));
  pingup.change(account('beta', peer.url));
  const error = await failureOf(send(pingup.client, 'acme'));
  expect([error.code, error.retryable]).toEqual(['PINGUP_UNAVAILABLE', true]);
  expect(Object.keys(pingup.client.health())).toEqual(['beta']);
  expect(peer.requests).toEqual([]);
});

test('at its end, sends of former accounts end too', async () => {
  await using peer = await startHttpPeer(() => undefined);
  const pingup = connect(account('acme', peer.url));
  const begun = failureOf(send(pingup.client, 'acme'));
  await expect.poll(() => peer.requests.length).toBe(1);
  pingup.change(account('beta', peer.url));
  await pingup.client[Symbol.asyncDispose]();
  expect((await begun).code).toBe('SEND_OUTCOME_UNKNOWN');
});
