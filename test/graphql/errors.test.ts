import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { retryableByCode } from '../../src/errors.ts';
import { transportErrorCodes } from '../../src/graphql/describe-error.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { connect } from '../support/graphql-client.ts';
import { transports } from './both-transports.ts';

function onEach(
  gateway: TestGateway,
  ...operation: [query: string, variables?: Record<string, unknown>, operationName?: string]
) {
  return Promise.all(transports.map(([, run]) => run(gateway, ...operation)));
}

const send = (input: string) => `mutation { sendTextMessage(input: { ${input} }) { message { id } } }`;
const watch = (selections: string) => `subscription ($x: Boolean! = true) { ${selections} }`;
const status = 'messageStatus(messageId: "m")';

test.each<[what: string, query: string, code: string, message: string]>([
  ['a document that does not parse', '{ message(', 'GRAPHQL_PARSE_FAILED', 'Syntax Error'],
  ['an unknown field', '{ messge(id: 1) { id } }', 'GRAPHQL_VALIDATION_FAILED', '"messge"'],
  [
    'an argument that does not fit',
    '{ messages(first: "x") { edges { cursor } } }',
    'GRAPHQL_VALIDATION_FAILED',
    'Int cannot represent',
  ],
  [
    'an inline delay that is no string',
    send('textMessage: "Hello", delay: 5'),
    'GRAPHQL_VALIDATION_FAILED',
    'expected a string such as "2d" or "90s", not 5',
  ],
  [
    'a variable that is not used',
    'query ($x: Int) { message(id: 1) { id } }',
    'GRAPHQL_VALIDATION_FAILED',
    'never used',
  ],
  [
    'a subscription that a variable may skip',
    watch(`${status} @skip(if: $x) { id }`),
    'GRAPHQL_VALIDATION_FAILED',
    'neither @skip nor @include',
  ],
  [
    'a subscription that is always skipped',
    `subscription { ${status} @skip(if: true) { id } }`,
    'GRAPHQL_VALIDATION_FAILED',
    'neither @skip nor @include',
  ],
  [
    'a subscription that is skipped in a fragment',
    `${watch('...f')} fragment f on Subscription { ... @include(if: $x) { ${status} { id } } }`,
    'GRAPHQL_VALIDATION_FAILED',
    'neither @skip nor @include',
  ],
])('%s is the same error on HTTP and on the socket, with its place', async (_what, query, code, message) => {
  await using gateway = await startTestGateway();
  const [http, socket] = await onEach(gateway, query);
  expect(http).toEqual(socket);
  expect(http?.errors).toEqual([
    {
      message: expect.stringContaining(message),
      locations: [{ line: 1, column: expect.any(Number) }],
      extensions: { code, retryable: false },
    },
  ]);
});

test('a condition below the root of a subscription is as good as any', async () => {
  await using gateway = await startTestGateway();
  const messageId = await gateway.send();
  await using client = connect(gateway.url);
  const query = 'subscription ($id: ID!) { messageStatus(messageId: $id) { id revision @skip(if: true) } }';
  const { value } = await client.iterate({ query, variables: { id: messageId } }).next();
  expect(value).toEqual({ data: { messageStatus: { id: messageId } } });
});

test.each<[what: string, variables: Record<string, unknown>, path: string[], expected: string]>([
  ['is missing', {}, ['only'], 'a value of type [DeliveryStatus!]!'],
  ['is null', { only: null }, ['only'], 'a value of type [DeliveryStatus!]!'],
  ['has an unknown word', { only: ['READ', 'REED'] }, ['only', '1'], 'a value of type DeliveryStatus'],
  ['has no word', { only: [5] }, ['only', '0'], 'a value of type DeliveryStatus'],
])(
  'a variable that %s is a fault at its own name on HTTP and on the socket',
  async (_what, variables, ...at) => {
    await using gateway = await startTestGateway();
    const query = 'query ($only: [DeliveryStatus!]!) { messages(status: $only) { edges { cursor } } }';
    const [path, expected] = at;
    for (const { errors } of await onEach(gateway, query, variables))
      expect(errors?.map(({ extensions }) => extensions)).toEqual([
        { code: 'BAD_USER_INPUT', retryable: false, faults: [{ path, expected }] },
      ]);
  },
);

test.each(['three', undefined])(
  'an operation named %j is the same error on HTTP and on the socket',
  async (operationName) => {
    await using gateway = await startTestGateway();
    const query = 'query one { message(id: 1) { id } } query two { message(id: 2) { id } }';
    const [http, socket] = await onEach(gateway, query, {}, operationName);
    expect(http).toEqual(socket);
    expect(http?.errors).toMatchObject([
      { extensions: { code: 'OPERATION_RESOLUTION_FAILURE', retryable: false } },
    ]);
  },
);

test('a page of no messages is the same fault on HTTP and on the socket', async () => {
  await using gateway = await startTestGateway();
  const [http, socket] = await onEach(gateway, '{ messages(first: 0) { edges { cursor } } }');
  expect(http).toEqual(socket);
  expect(http?.errors).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT', faults: [{ path: ['first'] }] } },
  ]);
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
  const [http] = await onEach(gateway, 'subscription { messageStatus(messageId: "x") { id } }');
  expect(http?.errors).toMatchObject([
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
