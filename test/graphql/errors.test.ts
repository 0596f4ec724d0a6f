import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { retryableByCode } from '../../src/errors.ts';
import { transportErrorCodes } from '../../src/graphql/describe-error.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect } from '../support/graphql-client.ts';

async function overHttp({ url }: TestGateway, query: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { errors: unknown[] }).errors;
}

async function overSocket({ url }: TestGateway, query: string): Promise<unknown[]> {
  await using client = connect(url);
  try {
    const { value } = await client.iterate({ query }).next();
    return [...(value?.errors ?? [])];
  } catch (error) {
    return error as unknown[];
  }
}

test.each([
  ['a document that does not parse', '{ message(', 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', '{ messge(id: 1) { id } }', 'GRAPHQL_VALIDATION_FAILED'],
  [
    'an argument that does not fit',
    '{ messages(first: "x") { edges { cursor } } }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['a fault in the input', '{ messages(first: 0) { edges { cursor } } }', 'BAD_USER_INPUT'],
])('%s is the same error on HTTP and on the socket', async (_what, query, code) => {
  await using gateway = await startTestGateway();
  const [http, socket] = [await overHttp(gateway, query), await overSocket(gateway, query)];
  expect(http).toEqual(socket);
  expect(http).toMatchObject([{ extensions: { code, retryable: false } }]);
});

test.each([
  ['not JSON', { 'content-type': 'application/json' }, '{', 400],
  ['of another content type', { 'content-type': 'application/xml' }, '<query/>', 415],
  ['one that any page may make', { 'content-type': 'text/plain' }, '{}', 400],
  ['too large', { 'content-type': 'application/json' }, JSON.stringify({ query: ' '.repeat(300_000) }), 413],
  ['without a query', { 'content-type': 'application/json' }, '{}', 400],
])('a request that is %s is a GraphQL error with a code', async (_what, headers, body, status) => {
  await using gateway = await startTestGateway();
  const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'BAD_REQUEST', retryable: false } }],
  });
});

test('other methods are 405, with those that are allowed', async () => {
  await using gateway = await startTestGateway();
  const response = await fetch(`${gateway.url}/graphql`, { method: 'DELETE' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
});

test('a subscription over HTTP says that it needs the socket', async () => {
  await using gateway = await startTestGateway();
  const errors = await overHttp(gateway, 'subscription { messageStatus(messageId: "x") { id } }');
  expect(errors).toMatchObject([
    { message: expect.stringMatching(/WebSocket/), extensions: { code: 'BAD_REQUEST' } },
  ]);
});

test('a form cannot make the browser of somebody else send a text', async () => {
  await using gateway = await startTestGateway();
  const response = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent('{ __typename }')}`);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('CSRF');
});

test('the codes are a closed set, and the README documents each one', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const codes = [...Object.keys(retryableByCode), ...transportErrorCodes];
  expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
});
