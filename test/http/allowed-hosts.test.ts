import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createHostCheck } from '../../src/http/allowed-hosts.ts';
import { startTestGateway } from '../support/gateway.ts';
import { exchange } from '../support/raw-http.ts';
import { authEnv, createSigner } from '../support/signer.ts';

const evil = 'rebound.evil.example';

function allows(names: readonly string[], ...hosts: readonly string[]): boolean {
  const request = new IncomingMessage(new Socket());
  request.headersDistinct = hosts.length > 0 ? { host: [...hosts] } : {};
  return createHostCheck(names, { warn: () => {} })(request);
}

test.each([
  'localhost',
  'localhost:4000',
  'LocalHost.',
  'gateway.localhost:4000',
  '127.0.0.1',
  '127.8.9.10:1',
  '[::1]',
  '[::1]:4000',
  'gw.example',
  'GW.example.:8443',
])('the Host %s is answered', (host) => {
  expect(allows(['gw.example'], host)).toBe(true);
});

test.each([
  evil,
  `${evil}:4000`,
  'localhost.evil.example',
  'notlocalhost',
  '127.0.0.1.evil.example',
  '127.evil.example',
  'gw.example.evil.example',
  'sub.gw.example',
  '[::2]',
  '192.168.0.1',
  '0.0.0.0',
  'localhost@evil.example',
  'evil.example#localhost',
  'evil.example/.localhost',
  'localhost, evil.example',
  '.',
  '',
  ' ',
])('the Host "%s" is refused', (host) => {
  expect(allows(['gw.example'], host)).toBe(false);
});

test('no Host, and several, are refused', () => {
  expect(allows([])).toBe(false);
  expect(allows([], 'localhost', 'localhost')).toBe(false);
  expect(allows([], 'localhost', evil)).toBe(false);
});

function request(line: string, host: string, more = '', body = ''): string {
  return `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const json = 'Content-Type: application/json\r\n';
const mutation =
  'mutation { sendTextMessage(input: { client: "never-calls-back", textMessage: "Hello" }) { message { id } } }';
const send = JSON.stringify({ query: mutation });
const upgrade = (host: string, origin: string) =>
  `GET /graphql HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;

test('without authentication on loopback, a page whose name was pointed here reads and sends nothing', async () => {
  await using gateway = await startTestGateway();
  const origin = `Origin: http://${evil}\r\n`;
  const requests = [
    request('POST /graphql', evil, json + origin, send),
    request('GET /graphql?query={__typename}', evil, json),
    request('GET /graphql', evil, 'Accept: text/html\r\n'),
    request('OPTIONS /graphql', evil, `${origin}Access-Control-Request-Method: POST\r\n`),
    request('DELETE /graphql', evil),
    request('GET /', evil),
    request('GET /graphiql/assets/index.js', evil),
    request('GET /metrics', evil),
    upgrade(evil, `http://${evil}`),
  ];
  for (const text of requests) expect(await exchange(gateway.url, text), text).toMatch(/^HTTP\/1\.1 403 /);
  const refused = await exchange(gateway.url, requests[0] ?? '');
  expect(refused).toContain('PUBLIC_URL');
  expect(refused).not.toContain(evil);
  expect(gateway.sandbox?.requests).toEqual([]);

  const sent = await exchange(gateway.url, request('POST /graphql', 'localhost', json, send));
  expect(sent).toMatch(/^HTTP\/1\.1 200 /);
  expect(gateway.sandbox?.requests).toHaveLength(1);
});

test('callbacks, /healthz and /readyz take any Host, as tunnels and probes send it', async () => {
  await using gateway = await startTestGateway();
  const { pathname } = new URL(gateway.callbackUrl);
  const callback = JSON.stringify({ message_id: 'm', status: 'sent' });
  const answers = [
    await exchange(gateway.url, request(`POST ${pathname}`, 'tunnel.example', json, callback)),
    await exchange(gateway.url, request('GET /healthz', 'tunnel.example')),
    await exchange(gateway.url, request('GET /readyz', 'tunnel.example')),
  ];
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

test('the name of PUBLIC_URL is answered, and with authentication any name', async () => {
  await using published = await startTestGateway({ env: { PUBLIC_URL: 'https://gw.example/path' } });
  await using guarded = await startTestGateway({ env: authEnv(await createSigner()) });
  const query = JSON.stringify({ query: '{ __typename }' });
  const ask = (url: string, host: string) => exchange(url, request('POST /graphql', host, json, query));
  expect(await ask(published.url, 'gw.example')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await ask(published.url, 'other.example')).toMatch(/^HTTP\/1\.1 403 /);
  expect(await ask(guarded.url, 'other.example')).toMatch(/^HTTP\/1\.1 401 /);
});

test('metrics on a port of their own are guarded too', async () => {
  await using gateway = await startTestGateway({ env: { METRICS_PORT: '0' } });
  expect(await exchange(gateway.metricsUrl, request('GET /metrics', evil))).toMatch(/^HTTP\/1\.1 403 /);
  expect(await exchange(gateway.metricsUrl, request('GET /metrics', 'localhost'))).toMatch(
    /^HTTP\/1\.1 200 /,
  );
});
