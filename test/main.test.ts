import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { MessageDocument, SendTextMessageDocument } from './generated/operations.ts';
import { temporaryDirectory } from './store/sqlite-test-store.ts';
import { apiKeyEntry, writeApiKeys } from './support/api-keys.ts';
import { startGatewayProcess } from './support/gateway-process.ts';
import { dataOf, execute, payloadOf } from './support/graphql-client.ts';

test('node dist/main.js runs from any working directory on its defaults, and keeps its store there', async () => {
  await using directory = await temporaryDirectory();
  const input = { client: 'never-calls-back', textMessage: 'Hello' };
  let id = '';
  {
    await using gateway = await startGatewayProcess({}, directory.path);
    id = payloadOf(await execute(gateway.url, SendTextMessageDocument, { input })).message.id;
    expect(gateway.output()).toContain(`GraphiQL:  ${gateway.url}/graphql`);
    expect(await gateway.end('SIGTERM')).toEqual([0, null]);
  }
  await using again = await startGatewayProcess({}, directory.path);
  expect(dataOf(await execute(again.url, MessageDocument, { id })).message?.status).toBe('ACCEPTED');
});

test('where others reach it, it does not start before it knows whom to let in, or is told AUTH=none, of which it warns', async () => {
  await using directory = await temporaryDirectory();
  const starting = startGatewayProcess({ HOST: '0.0.0.0' }, directory.path);
  await expect(starting).rejects.toThrow('AUTH: HOST is no loopback address');
  await using gateway = await startGatewayProcess({ HOST: '0.0.0.0', AUTH: 'none' }, directory.path);
  expect(gateway.output()).toMatch(
    /"level":40,.*"msg":"AUTH=none: whoever reaches the gateway can send texts/,
  );
});

test('SIGHUP: the API keys are read again', async () => {
  await using directory = await temporaryDirectory();
  await using file = await writeApiKeys({ crm: apiKeyEntry('crm-key', { businesses: '*' }) });
  await using gateway = await startGatewayProcess({ AUTH_API_KEYS_FILE: file.path }, directory.path);
  const ask = async (key: string) =>
    (await execute(gateway.url, MessageDocument, { id: 'm' }, `Bearer ${key}`)).errors?.[0]?.extensions?.[
      'code'
    ];
  expect([await ask('crm-key'), await ask('new-key')]).toEqual([undefined, 'UNAUTHENTICATED']);
  await file.write({ crm: apiKeyEntry('new-key', { businesses: '*' }) });
  gateway.process.kill('SIGHUP');
  await expect.poll(() => ask('new-key')).toBeUndefined();
  expect(await ask('crm-key')).toBe('UNAUTHENTICATED');
});

test('SIGTERM: not ready, nothing new is taken, the send in flight finishes, sockets close with 1001, exit 0', async () => {
  await using directory = await temporaryDirectory();
  const answer = Promise.withResolvers<void>();
  await using slow = await startSlowPingup(answer.promise);
  await using gateway = await startGatewayProcess(accountAt(slow.url), directory.path);
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  const closed = once(socket, 'close');

  const input = { client: 'anna', textMessage: 'Hello' };
  const send = execute(gateway.url, SendTextMessageDocument, { input });
  await slow.asked;
  const ended = gateway.end('SIGTERM');
  await expect.poll(async () => (await fetch(`${gateway.url}/readyz`)).status).toBe(503);
  const refused = await execute(gateway.url, SendTextMessageDocument, { input });
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'SHUTTING_DOWN', retryable: true });
  const callback = await fetch(`${gateway.url}/callbacks/pingup/acme/${token}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message_id: 'm', status: 'sent' }),
  });
  expect([callback.status, callback.headers.get('retry-after')]).toEqual([503, '5']);
  answer.resolve();

  expect(payloadOf(await send).message.id).toBe('slow-1');
  expect((await closed)[0]).toBe(1001);
  expect(await ended).toEqual([0, null]);
});

test('SIGTERM while Pingup hangs: the send is answered SEND_OUTCOME_UNKNOWN, and the exit is 0 within 10 s', async () => {
  await using directory = await temporaryDirectory();
  await using sandbox = await startSandbox({ business: 'acme', apiKey: 'key', callbackUrl: null });
  const env = { ...accountAt(sandbox.baseUrl), PINGUP_TIMEOUT_MS: '60000' };
  await using gateway = await startGatewayProcess(env, directory.path);
  const input = { client: 'hangs', textMessage: 'Hello' };
  const send = execute(gateway.url, SendTextMessageDocument, { input });
  await expect.poll(() => sandbox.requests.length).toBe(1);
  const ended = gateway.end('SIGTERM');
  expect((await send).errors?.[0]?.extensions?.['code']).toBe('SEND_OUTCOME_UNKNOWN');
  expect(await ended).toEqual([0, null]);
});

test('SIGTERM with requests that never end: exit 0 all the same', async () => {
  await using directory = await temporaryDirectory();
  await using gateway = await startGatewayProcess({}, directory.path);
  const half = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  half.on('error', () => undefined);
  half.write(
    'POST /graphql HTTP/1.1\r\nHost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  );
  await once(half, 'connect');
  await fetch(`${gateway.url}/healthz`);
  expect(await gateway.end('SIGTERM')).toEqual([0, null]);
});

test('what is wrong with the environment is one message with all faults, and exit 1', async () => {
  const start = startGatewayProcess({ PORT: 'http', RETENTION_DAYS: '0' });
  await expect(start).rejects.toThrow(/ended with 1[\s\S]*PORT: expected[\s\S]*RETENTION_DAYS: expected/);
});

test('a store that cannot be had is a sentence, and exit 1', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'gateway.db');
  await writeFile(path, 'this is no database, however long one looks at it'.repeat(100));
  const start = startGatewayProcess({ STORE_URL: `sqlite:${path}` });
  await expect(start).rejects.toThrow(/ended with 1[\s\S]*The gateway cannot run: /);
});

test('an address that is taken is a sentence, and exit 1', async () => {
  await using directory = await temporaryDirectory();
  await using gateway = await startGatewayProcess({}, directory.path);
  const env = { PORT: new URL(gateway.url).port, STORE_URL: `sqlite:${directory.path}/other.db` };
  const ended: unknown = await startGatewayProcess(env).catch((error) => error);
  expect(String(ended)).toMatch(/The gateway cannot run: .*EADDRINUSE/);
  expect(String(ended)).not.toMatch(/"level":[45]0/);
});

const token = 'a-token-of-24-characters';

function accountAt(baseUrl: string): Record<string, string> {
  return {
    PINGUP_API_KEY: 'key',
    PINGUP_BUSINESS_NAME: 'acme',
    PINGUP_BASE_URL: baseUrl,
    CALLBACK_TOKEN: token,
  };
}

/** A Pingup that answers when it is told to. */
async function startSlowPingup(answer: Promise<void>) {
  const asked = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    request.resume();
    asked.resolve();
    await answer;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ success: true, data: { message_id: 'slow-1' } }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked: asked.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
