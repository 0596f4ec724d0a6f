import { expect, test } from 'vitest';
import { apiKeyEntry, writeApiKeys } from '../support/api-keys.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fail, startKeyServer } from '../support/key-server.ts';
import { postRaw } from '../support/post-raw.ts';
import { audience, authEnv, createSigner, issuer } from '../support/signer.ts';

const signer = await createSigner();
const good = `Bearer ${await signer.sign({ businesses: '*' })}`;
const json = { 'content-type': 'application/json' };
const body = JSON.stringify({ query: '{ messages(first: 1) { edges { node { id } } } }' });

function post({ url }: TestGateway, headers: Record<string, string> = {}, text = body): Promise<Response> {
  return fetch(`${url}/graphql`, { method: 'POST', headers: { ...json, ...headers }, body: text });
}

async function startGuarded(env: Record<string, string> = {}): Promise<TestGateway> {
  return startTestGateway({ env: { ...authEnv(signer), ...env } });
}

test('a good token opens the door, by POST and by GET', async () => {
  await using gateway = await startGuarded();
  const query = new URLSearchParams({ query: '{ __typename }' });
  const get = fetch(`${gateway.url}/graphql?${query}`, {
    headers: { ...json, authorization: good, accept: 'application/json' },
  });
  for (const answer of await Promise.all([post(gateway, { authorization: good }), get])) {
    expect(answer.status).toBe(200);
    expect(await answer.json()).not.toHaveProperty('errors');
  }
});

test('without a token it is 401, and the challenge says what to show', async () => {
  await using gateway = await startGuarded();
  const answers = [
    await post(gateway),
    await fetch(`${gateway.url}/graphql?query={__typename}`, { headers: json }),
    await fetch(`${gateway.url}/graphql?query={__typename}`, { method: 'HEAD', headers: json }),
  ];
  for (const { status, headers } of answers) {
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="graphql"');
    expect(headers.get('cache-control')).toBe('no-store');
  }
  expect(await answers[0]?.json()).toEqual({
    errors: [
      {
        message: 'This takes a bearer token or an API key.',
        extensions: { code: 'UNAUTHENTICATED', retryable: false },
      },
    ],
  });
});

test('with a bad token it is 401, and the challenge says what is wrong with it', async () => {
  await using gateway = await startGuarded();
  const answer = await post(gateway, { authorization: `Bearer ${await signer.sign({ exp: 1 })}` });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toBe(
    'Bearer realm="graphql", error="invalid_token", error_description="The token has expired."',
  );
});

test('a token that is shown twice, or beside another one, is 401: a proxy may have looked at the other', async () => {
  await using gateway = await startGuarded();
  const bad = 'Bearer none';
  const shown = [
    [good, good],
    [good, bad],
    [bad, good],
    [good, ''],
  ];
  for (const values of shown)
    for (const name of ['authorization', 'AUTHORIZATION']) {
      const [first = '', second = ''] = values;
      const headers = [['Authorization', first] as const, [name, second] as const];
      const answer = await postRaw(`${gateway.url}/graphql`, headers, body);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('What was shown is no bearer token.');
    }
  expect((await postRaw(`${gateway.url}/graphql`, [['Authorization', good]], body)).status).toBe(200);
  expect(await (await fetch(gateway.metricsUrl)).text()).toContain(
    `gateway_refused_callers_total{reason="malformed"} ${shown.length * 2}`,
  );
});

test('a token in the address is none', async () => {
  await using gateway = await startGuarded();
  const token = good.slice('Bearer '.length);
  for (const name of ['access_token', 'token', 'authorization', 'bearer']) {
    const query = new URLSearchParams({ query: '{ __typename }', [name]: token });
    expect((await fetch(`${gateway.url}/graphql?${query}`, { headers: json })).status).toBe(401);
  }
});

test('nothing is read of who shows nothing: neither nonsense nor a body that is too large', async () => {
  await using gateway = await startGuarded();
  for (const text of ['{', 'x'.repeat(300 * 1024)]) {
    expect((await post(gateway, {}, text)).status).toBe(401);
    expect((await post(gateway, { authorization: good }, text)).status).not.toBe(401);
  }
});

test('who guesses is held up as anybody who asks too much', async () => {
  await using gateway = await startGuarded({ REQUESTS_PER_MINUTE: '3' });
  const guesses = Array.from({ length: 5 }, (_, n) => post(gateway, { authorization: `Bearer guess-${n}` }));
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  expect(statuses.sort()).toEqual([401, 401, 401, 429, 429]);
});

test('a page of another site may ask without a token whether it may call, and read that it needs one', async () => {
  const origin = 'https://app.example';
  await using gateway = await startGuarded({ ALLOWED_ORIGINS: origin });
  const preflight = await fetch(`${gateway.url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  expect(preflight.status).toBe(204);
  const answer = await post(gateway, { origin });
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
});

test('GraphiQL’s page is for everybody, and nothing else that a browser asks for', async () => {
  await using gateway = await startGuarded();
  const accept = 'text/html';
  const page = await fetch(`${gateway.url}/graphql`, { headers: { accept } });
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<!doctype html>')]);
  expect((await post(gateway, { accept })).status).toBe(401);
  await using production = await startGuarded({ INTROSPECTION: 'false' });
  expect((await fetch(`${production.url}/graphql`, { headers: { accept } })).status).toBe(401);
});

test('callbacks, health and metrics need no token', async () => {
  await using gateway = await startGuarded();
  expect((await gateway.callBack({ message_id: 'm', status: 'sent' })).status).toBe(200);
  for (const path of ['/healthz', '/readyz', '/metrics'])
    expect((await fetch(`${gateway.url}${path}`)).status).toBe(200);
});

test('keys that cannot be had are 503, with when to come back, and not the fault of the token', async () => {
  await using server = await startKeyServer();
  server.answer(fail);
  const env = { AUTH_JWKS_URL: server.url.href, AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience };
  await using gateway = await startTestGateway({ env });
  const answer = await post(gateway, { authorization: good });
  expect(answer.status).toBe(503);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answer.headers.has('www-authenticate')).toBe(false);
  expect(await answer.json()).toMatchObject({
    errors: [{ extensions: { code: 'AUTHENTICATION_UNAVAILABLE', retryable: true } }],
  });
});

test('keys come from the JWKS address', async () => {
  await using server = await startKeyServer(signer);
  const env = { AUTH_JWKS_URL: server.url.href, AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience };
  await using gateway = await startTestGateway({ env });
  expect((await post(gateway, { authorization: good })).status).toBe(200);
});

test('an API key opens the door until it is taken back', async () => {
  await using file = await writeApiKeys({ crm: apiKeyEntry('crm-key', { businesses: '*' }) });
  await using gateway = await startTestGateway({ env: { AUTH_API_KEYS_FILE: file.path } });
  const authorization = 'Bearer crm-key';
  expect((await post(gateway, { authorization })).status).toBe(200);
  await file.write({});
  await gateway.reload();
  expect((await post(gateway, { authorization })).status).toBe(401);
  expect((await post(gateway, { authorization: good })).status).toBe(401);
});

test('those who were turned away are counted by why', async () => {
  await using gateway = await startGuarded();
  for (const authorization of ['', 'Basic x', 'Bearer a.b.c']) await post(gateway, { authorization });
  const metrics = await (await fetch(gateway.metricsUrl)).text();
  expect(metrics).toContain('gateway_refused_callers_total{reason="missing"} 1');
  expect(metrics).toContain('gateway_refused_callers_total{reason="malformed"} 2');
  expect(metrics).toContain('gateway_refused_callers_total{reason="expired"} 0');
});
