import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { SendTextMessageDocument } from '../generated/operations.ts';
import { startHttpPeer } from '../pingup/support/peers.ts';
import { accepted } from '../store/samples.ts';
import { startTestGateway } from '../support/gateway.ts';
import { execute } from '../support/graphql-client.ts';
import { fail, startKeyServer } from '../support/key-server.ts';
import { responsiveTime } from '../support/responsive-time.ts';
import { audience, issuer } from '../support/signer.ts';

test('a gateway that can send and record is ready', async () => {
  await using gateway = await startTestGateway();
  for (const path of ['/healthz', '/readyz']) expect((await fetch(`${gateway.url}${path}`)).status).toBe(200);
});

test('while the database is locked: not ready, no text is sent, callbacks are 503 within 2 s; then it recovers by itself', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const path = join(directory, 'gateway.db');
  await using gateway = await startTestGateway({ env: { STORE_URL: `sqlite:${path}` } });
  const input = { client: 'never-calls-back', textMessage: 'Hello' };
  const send = () => execute(gateway.url, SendTextMessageDocument, { input });

  using other = new DatabaseSync(path, { timeout: 10_000 });
  other.exec('BEGIN IMMEDIATE');
  const answers = Promise.all([
    send(),
    gateway.callBack({ message_id: 'm', status: 'sent' }),
    fetch(`${gateway.url}/readyz`),
    fetch(`${gateway.url}/healthz`),
  ]);
  expect(await responsiveTime(answers)).toBeLessThan(2_000);
  const [sent, called, ready, alive] = await answers;
  expect(sent.errors?.[0]?.extensions).toEqual({ code: 'STORE_UNAVAILABLE', retryable: true });
  expect(gateway.sandbox?.requests).toEqual([]);
  expect([called.status, called.headers.get('retry-after')]).toEqual([503, '5']);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not ready', reason: 'the store cannot write' },
  ]);
  expect(alive.status).toBe(200);

  other.exec('ROLLBACK');
  await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  expect((await send()).errors).toBeUndefined();
  expect((await gateway.callBack({ message_id: 'm', status: 'sent' })).status).toBe(200);
  await rm(directory, { recursive: true });
});

test('how Pingup does for each business is a detail of readiness, and what it refuses does not end it', async () => {
  await using pingup = await startHttpPeer((_request, response) => response.writeHead(401).end());
  await using gateway = await startTestGateway({
    env: {
      PINGUP_BASE_URL: pingup.url,
      PINGUP_API_KEY: 'key',
      PINGUP_BUSINESS_NAME: 'acme',
      CALLBACK_TOKEN: 'a-callback-token-for-this-test',
    },
  });
  const ready = async () => (await fetch(`${gateway.url}/readyz`)).json();
  const atRest = { breaker: 'closed', queued: 0, running: 0 };
  expect(await ready()).toEqual({ status: 'ready', pingup: { acme: { credentials: 'ok', ...atRest } } });
  const input = { client: 'c', textMessage: 'Hello' };
  const { errors } = await execute(gateway.url, SendTextMessageDocument, { input });
  expect(errors?.[0]?.extensions?.['code']).toBe('PINGUP_REJECTED');
  expect(await ready()).toEqual({ status: 'ready', pingup: { acme: { credentials: 'refused', ...atRest } } });
});

test('while the keys that tokens are checked with could never be fetched: not ready', async () => {
  await using server = await startKeyServer();
  server.answer(fail);
  const env = { AUTH_JWKS_URL: server.url.href, AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience };
  await using gateway = await startTestGateway({ env });
  const ready = await fetch(`${gateway.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not ready', reason: 'the keys to check tokens with were never fetched' },
  ]);
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
});

test('a damaged database: 503 with the reason, a metric, and no write', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const path = join(directory, 'gateway.db');
  await fillAndSpoil(path);
  await using gateway = await startTestGateway({ env: { STORE_URL: `sqlite:${path}` } });
  const ready = async () => (await fetch(`${gateway.url}/readyz`)).json();
  await expect.poll(ready).toEqual({ status: 'not ready', reason: 'the database is damaged' });
  expect(await (await fetch(gateway.metricsUrl)).text()).toMatch(/^gateway_store_damaged 1$/m);
  const input = { client: 'never-calls-back', textMessage: 'Hello' };
  const sent = await execute(gateway.url, SendTextMessageDocument, { input });
  expect(sent.errors?.[0]?.extensions?.['code']).toBe('STORE_UNAVAILABLE');
  expect((await gateway.callBack({ message_id: 'm', status: 'sent' })).status).toBe(503);
  expect(gateway.sandbox?.requests).toEqual([]);
  await rm(directory, { recursive: true });
});

/** A database of 3,000 messages, of which a page in the middle cannot be read. */
async function fillAndSpoil(path: string): Promise<void> {
  {
    await using store = await openSqliteStore({ path });
    await store.record(Array.from({ length: 3_000 }, (_, index) => accepted(`m${index}`)));
  }
  const file = await open(path, 'r+');
  const { size } = await file.stat();
  const pageBytes = 4_096;
  const middle = Math.floor(size / pageBytes / 2) * pageBytes;
  await file.write(Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, middle);
  await file.close();
}
