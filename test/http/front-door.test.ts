import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startTestGateway } from '../support/gateway.ts';

const origin = 'https://app.example';
const json = { 'content-type': 'application/json' };
const body = JSON.stringify({ query: '{ __typename }' });

function preflight(url: string, from = origin): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin: from,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization',
    },
  });
}

test('a page of a listed site may call, and read the answer', async () => {
  await using gateway = await startTestGateway({
    env: { ALLOWED_ORIGINS: `https://other.example, ${origin}` },
  });
  const asked = await preflight(gateway.url);
  expect(asked.status).toBe(204);
  expect(Object.fromEntries(asked.headers)).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'content-type,authorization',
  });
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { ...json, origin },
    body,
  });
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  expect(answer.headers.get('vary')).toContain('Origin');
  expect(await answer.json()).toEqual({ data: { __typename: 'Query' } });
});

test('a page of another site is told no, and so is every page by default', async () => {
  await using listed = await startTestGateway({ env: { ALLOWED_ORIGINS: origin } });
  await using closed = await startTestGateway();
  const answers = [await preflight(listed.url, 'https://evil.example'), await preflight(closed.url)];
  for (const { headers } of answers) expect(headers.has('access-control-allow-origin')).toBe(false);
});

test('a page of another site is logged once a minute, with what lets it in; one of our own is not', async () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push(line) });
  await using gateway = await startTestGateway({ log });
  for (const from of ['https://evil.example', 'https://evil.example', gateway.url])
    await preflight(gateway.url, from);
  const refused = lines.filter((line) => line.includes('ALLOWED_ORIGINS')).map((line) => JSON.parse(line));
  expect(refused).toMatchObject([{ level: 40, origin: 'https://evil.example', suppressed: 0 }]);
});

test('where all may, any page may', async () => {
  await using gateway = await startTestGateway({ env: { ALLOWED_ORIGINS: '*' } });
  expect((await preflight(gateway.url)).headers.get('access-control-allow-origin')).toBe('*');
});

test('no page may read anything but GraphQL', async () => {
  await using gateway = await startTestGateway({ env: { ALLOWED_ORIGINS: '*' } });
  const response = await fetch(`${gateway.url}/readyz`, { headers: { origin } });
  expect(response.headers.has('access-control-allow-origin')).toBe(false);
});

test('over the requests of a minute: 429 with Retry-After, while callbacks and health are served', async () => {
  await using gateway = await startTestGateway({ env: { REQUESTS_PER_MINUTE: '2' } });
  const post = () => fetch(`${gateway.url}/graphql`, { method: 'POST', headers: json, body });
  expect([(await post()).status, (await post()).status]).toEqual([200, 200]);

  const refused = await post();
  expect(refused.status).toBe(429);
  const { errors } = (await refused.json()) as { errors: { extensions: { retryAfterSeconds: number } }[] };
  expect(errors).toMatchObject([{ extensions: { code: 'TOO_MANY_REQUESTS', retryable: true } }]);
  const seconds = errors[0]?.extensions.retryAfterSeconds ?? 0;
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(65);
  expect(Number(refused.headers.get('retry-after'))).toBe(seconds);

  expect((await gateway.callBack({ message_id: 'm', status: 'sent' })).status).toBe(200);
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
});

test('the requests of each client behind a trusted proxy are counted apart', async () => {
  await using gateway = await startTestGateway({
    env: { REQUESTS_PER_MINUTE: '1', TRUST_PROXY: 'loopback' },
  });
  const from = (client: string) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { ...json, 'x-forwarded-for': client },
      body,
    });
  const answers = [await from('203.0.113.1'), await from('203.0.113.2'), await from('203.0.113.1')];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
});

test('several operations in one request are refused: nothing is batched', async () => {
  await using gateway = await startTestGateway();
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: json,
    body: `[${body},${body}]`,
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
});

test('GraphiQL is served where introspection is on, and only there', async () => {
  const headers = { accept: 'text/html' };
  await using open = await startTestGateway();
  await using closed = await startTestGateway({ env: { INTROSPECTION: 'false' } });
  expect((await fetch(`${open.url}/graphql`, { headers })).headers.get('content-type')).toContain(
    'text/html',
  );
  const refused = await fetch(`${closed.url}/graphql`, { headers });
  expect([refused.status, refused.headers.get('content-type')]).toEqual([
    400,
    expect.stringContaining('json'),
  ]);
});
