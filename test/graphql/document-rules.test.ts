import { getIntrospectionQuery } from 'graphql';
import { expect, test } from 'vitest';
import { documentLimits } from '../../src/graphql/document-rules.ts';
import { startTestGateway } from '../support/gateway.ts';
import { type Run, transports } from './both-transports.ts';
import { times } from './times.ts';

const { aliases, depth, directives, rootFields, tokens } = documentLimits;

function sends(count: number): string {
  const input = '{ client: "never-calls-back", textMessage: "Hello" }';
  return `mutation { ${times(count, (index) => `a${index}: sendTextMessage(input: ${input}) { message { id } }`)} }`;
}

const nested = `{ message(id: 1) { ${'... on Message { '.repeat(5)} id ${'} '.repeat(5)} } }`;
const tooDeep = `{ __type(name: "Message") ${'{ ofType '.repeat(depth)}{ name }${' }'.repeat(depth)} }`;

const refused: readonly (readonly [what: string, query: string, message: string])[] = [
  ['too deep', tooDeep, `depth limit of ${depth} exceeded`],
  [
    'of too many aliases',
    `{ message(id: 1) { ${times(aliases + 1, (n) => `a${n}: id`)} } }`,
    `Aliases limit`,
  ],
  [
    'of too many directives',
    `{ message(id: 1) { ${times(directives + 1, () => 'id @include(if: true)')} } }`,
    `Directives limit of ${directives} exceeded`,
  ],
  [
    'of too many sends',
    sends(rootFields + 1),
    `at most ${rootFields} fields at its root, not ${rootFields + 1}`,
  ],
];

const eachOnBoth = refused.flatMap((it) => transports.map(([name, run]) => [...it, name, run] as const));

test.each(eachOnBoth)(
  'a document %s is refused before anything runs',
  async (_what, query, message, _name, run: Run) => {
    await using gateway = await startTestGateway();
    const { data, errors = [] } = await run(gateway, query);
    expect(data ?? null).toBeNull();
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(message),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED', retryable: false },
      },
    ]);
    expect(gateway.sandbox?.requests).toEqual([]);
  },
);

test.each(transports)('a document of too many tokens is not read to its end on %s', async (_name, run) => {
  await using gateway = await startTestGateway();
  const { errors = [] } = await run(gateway, `{ message(id: 1) { ${'id '.repeat(tokens)} } }`);
  expect(errors).toMatchObject([
    { message: expect.stringContaining(`${tokens} tokens`), extensions: { code: 'GRAPHQL_PARSE_FAILED' } },
  ]);
});

test.each(transports)('as many sends as an operation may have are each sent on %s', async (_name, run) => {
  await using gateway = await startTestGateway();
  const { data, errors } = await run(gateway, sends(rootFields));
  expect(errors).toBeUndefined();
  expect(Object.keys(data ?? {})).toHaveLength(rootFields);
  expect(gateway.sandbox?.requests).toHaveLength(rootFields);
});

test.each(transports)('sends in a fragment count as sends on %s', async (_name, run) => {
  await using gateway = await startTestGateway();
  const query = `${sends(rootFields + 1).replace('mutation', 'fragment all on Mutation')} mutation { ...all }`;
  const { errors } = await run(gateway, query);
  expect(errors?.[0]?.message).toContain('fields at its root');
});

test.each(transports)("GraphiQL's introspection and nested fragments pass on %s", async (_name, run) => {
  await using gateway = await startTestGateway();
  const introspection = getIntrospectionQuery({
    inputValueDeprecation: true,
    schemaDescription: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    oneOf: true,
  });
  expect((await run(gateway, introspection)).data).toHaveProperty('__schema');
  expect(await run(gateway, nested)).toEqual({ data: { message: null } });
});

test.each(transports)(
  'a whole page of 100 messages with everything in it passes on %s',
  async (_name, run) => {
    await using gateway = await startTestGateway();
    const query = `{ messages(first: 100) { pageInfo { hasNextPage endCursor } edges { cursor node {
    id client clientPhone clientName textMessage delay scheduledFor status revision acceptedAt updatedAt
    failure { code reason } history { status at receivedAt rawStatus } } } } }`;
    expect((await run(gateway, query)).data).toMatchObject({ messages: { edges: [] } });
  },
);

test.each(transports)('without introspection nothing tells the schema on %s', async (_name, run) => {
  await using gateway = await startTestGateway({ env: { INTROSPECTION: 'false' } });
  const queries = [
    '{ __schema { queryType { name } } }',
    '{ messge(id: 1) { id } }',
    '{ message(idd: 1) { id } }',
  ];
  const results = await Promise.all(queries.map((query) => run(gateway, query)));
  for (const { data, errors = [] } of results) {
    expect(data ?? null).toBeNull();
    expect(errors[0]?.extensions?.['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(JSON.stringify(errors)).not.toContain('Did you mean');
  }
});

test.each(transports)(
  'with introspection an error suggests what may have been meant on %s',
  async (_name, run) => {
    await using gateway = await startTestGateway();
    const { errors } = await run(gateway, '{ messge(id: 1) { id } }');
    expect(errors?.[0]?.message).toContain('Did you mean');
  },
);

test.each(transports)(
  'a value that almost fits suggests nothing without introspection on %s',
  async (_name, run) => {
    await using gateway = await startTestGateway({ env: { INTROSPECTION: 'false' } });
    const query = 'query ($status: [DeliveryStatus!]) { messages(status: $status) { edges { cursor } } }';
    const { errors } = await run(gateway, query, { status: ['REED'] });
    expect(errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).not.toContain('Did you mean');
  },
);
