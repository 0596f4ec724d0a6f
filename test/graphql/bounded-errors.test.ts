import fc from 'fast-check';
import { type FormattedExecutionResult, GraphQLError, getLocation, Source } from 'graphql';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { createErrorDescriber, maxErrors } from '../../src/graphql/describe-error.ts';
import { locationsOf, maxLocations, parseDocument } from '../../src/graphql/document-source.ts';
import type { Send } from '../../src/send.ts';
import { type Run, transports } from './both-transports.ts';
import { serveGraphql } from './serve-graphql.ts';
import { times } from './times.ts';

const maxMessage = 256;
/** Of 20 errors with all that they may say. */
const maxAnswer = 48 * 1024;
/** What fits into a frame; HTTP takes four times as much. */
const large = 60_000;

const byStatus = 'query ($status: [DeliveryStatus!]) { messages(status: $status) { edges { cursor } } }';
const byInput = 'mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) { replayed } }';
const manyFields = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`field${index}`, index]));

type Attack = readonly [
  what: string,
  query: string,
  variables?: Readonly<Record<string, unknown>>,
  operationName?: string,
];

const attacks: readonly Attack[] = [
  ['a long literal', `{ messages(first: "${'x'.repeat(15_000)}") { edges { cursor } } }`],
  ['a long name', `{ ${'x'.repeat(15_000)} }`],
  ['a syntax error after line ends', `${'\n'.repeat(16_000)}{ ${'x'.repeat(100)}(`],
  ['many unknown fields', `{ ${times(300, (n) => `field${n}`)} }`],
  ['many unknown fields after line ends', `${'\n'.repeat(12_000)}{ ${times(300, (n) => `field${n}`)} }`],
  ['one field that conflicts often', `{ message(id: 1) { ${times(240, (n) => `a: x${n}`)} } }`],
  ['a long value of a variable', byStatus, { status: ['x'.repeat(large)] }],
  ['many values of a variable', byStatus, { status: Array.from({ length: 9_000 }, () => 'REED') }],
  ['many unknown fields of a variable', byInput, { input: { ...manyFields, textMessage: 'x' } }],
  ['a long unknown field of a variable', byInput, { input: { ['"'.repeat(large / 2)]: 1 } }],
  ['deep values of a variable', byInput, { input: { delay: JSON.parse(deep(20_000)) } }],
  [
    'a long name of a business',
    'query ($b: ID) { message(id: 1, business: $b) { id } }',
    { b: 'x'.repeat(large) },
  ],
  ['a long name of an operation', '{ message(id: 1) { id } }', {}, 'x'.repeat(large)],
  ['what looks like a suggestion', byStatus, { status: ' Did you mean '.repeat(large / 14) }],
];

function deep(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

/** Everything of an answer that is longer or more than it may be. */
function unboundedIn(result: FormattedExecutionResult): readonly unknown[] {
  const { errors = [] } = result;
  return [
    ...(errors.length <= maxErrors ? [] : [`${errors.length} errors`]),
    ...(JSON.stringify(result).length <= maxAnswer ? [] : ['a large answer']),
    ...errors.filter(({ message }) => message.length > maxMessage),
    ...errors.filter(({ locations = [] }) => locations.length > maxLocations),
  ];
}

const eachOnBoth = [false, true].flatMap((introspection) =>
  attacks.flatMap((attack) =>
    transports.map(([name, run]) => ({ attack, what: attack[0], name, run, introspection })),
  ),
);

test.each(eachOnBoth)(
  '$what is answered with a few short errors on $name (introspection: $introspection)',
  async ({ attack: [, ...operation], run, introspection }) => {
    await using gateway = await serveGraphql({ edge: { introspection } });
    const result = await run(gateway, ...operation);
    expect(result.errors?.length).toBeGreaterThan(0);
    expect(unboundedIn(result)).toEqual([]);
    for (const { extensions } of result.errors ?? []) expect(extensions).toHaveProperty('code');
    expect(result.errors).not.toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }]);
    if (!introspection) expect(JSON.stringify(result)).not.toContain('Did you mean "');
  },
);

const sent: Send = {
  id: 's',
  business: 'acme',
  text: { client: 'c', clientPhone: null, clientName: null, textMessage: null, delay: null },
  begunAt: 1,
  settledAt: 2,
  outcome: 'ACCEPTED',
  errorCode: null,
  messageId: 'm',
};

test.each(transports)('a page on which every entry fails shows 20 errors on %s', async (_name, run: Run) => {
  const entries = Array.from({ length: 100 }, () => ({ send: sent, cursor: 'c' }));
  await using gateway = await serveGraphql({
    messaging: {
      sends: async () => ({ entries, hasMore: false }),
      find: async () => {
        throw new GatewayError('STORE_UNAVAILABLE', 'not now');
      },
    },
  });
  const messages = times(9, (n) => `m${n}: message { id }`);
  const result = await run(gateway, `{ sends(first: 100) { edges { node { ${messages} } } } }`);
  expect(result.errors).toHaveLength(maxErrors);
  expect(result.errors).toMatchObject(
    Array.from({ length: maxErrors }, () => ({ extensions: { code: 'STORE_UNAVAILABLE' } })),
  );
  expect(unboundedIn(result)).toEqual([]);
});

test.each([
  ['not JSON', 'application/json', `{"${'x'.repeat(large)}`],
  ['of an unknown content type', `application/${'x'.repeat(1_000)}`, '{}'],
  [
    'of variables that are none',
    'application/json',
    JSON.stringify({ query: '{ a }', variables: 'x'.repeat(large) }),
  ],
])('a request that is %s is answered with a short error', async (_what, contentType, body) => {
  await using gateway = await serveGraphql();
  const headers = { 'content-type': contentType };
  const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
  expect([400, 415]).toContain(response.status);
  const result = (await response.json()) as FormattedExecutionResult;
  expect(result.errors).toHaveLength(1);
  expect(unboundedIn(result)).toEqual([]);
});

test.each([
  ['accept', 431, `"${','.repeat(1_024)}`],
  ['content-type', 415, `application/json;${'a="b";'.repeat(500)}`],
])('a header %s that would take long to parse is refused before it is', async (name, status, value) => {
  await using gateway = await serveGraphql();
  const headers = { 'content-type': 'application/json', [name]: value };
  const body = '{"query":"{__typename}"}';
  const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({
    errors: [
      {
        message: `The header ${name} may have at most 1024 characters.`,
        extensions: { code: 'BAD_REQUEST', retryable: false },
      },
    ],
  });
});

test.each(transports)(
  'with introspection a variable is told what may have been meant on %s',
  async (_name, run) => {
    await using gateway = await serveGraphql({ edge: { introspection: true } });
    const { errors } = await run(gateway, byStatus, { status: ['REED'] });
    expect(errors?.[0]?.message).toContain('Did you mean the enum value "READ"');
  },
);

test('of an error with many faults the first 20 are told, and each is cut', () => {
  const faults = Array.from({ length: 100 }, () => ({
    path: ['x'.repeat(1_000)],
    expected: 'y'.repeat(1_000),
  }));
  const originalError = new GatewayError('BAD_USER_INPUT', 'z'.repeat(1_000), { faults });
  const error = new GraphQLError(originalError.message, { originalError });
  const { message, extensions } = createErrorDescriber(pino({ level: 'silent' }))(error);
  expect(message).toBe(`${'z'.repeat(maxMessage - 1)}…`);
  expect(extensions?.['faults']).toEqual(
    Array.from({ length: 20 }, () => ({
      path: [`${'x'.repeat(maxMessage - 1)}…`],
      expected: `${'y'.repeat(maxMessage - 1)}…`,
    })),
  );
});

const blank = fc.constantFrom('\n', '\r', '\r\n', ' ', '#x\n', ',');
const blanks = fc.array(blank, { maxLength: 8 }).map((all) => all.join(''));

test('an error is located where graphql-js would locate it, in whatever text', () => {
  fc.assert(
    fc.property(blanks, blanks, blanks, (one, two, three) => {
      const text = `${one}{${two}message${three}}`;
      const document = parseDocument(text);
      const source = document.loc?.source;
      if (!source) throw new Error('the document has no source');
      const positions = [text.indexOf('{'), text.indexOf('message')];
      const error = new GraphQLError('', { source, positions });
      expect(locationsOf(error)).toEqual(
        positions.map((position) => getLocation(new Source(text), position)),
      );
    }),
  );
});

test('graphql-js has no text to search for line ends, however many errors it makes', () => {
  expect(parseDocument(`${'\n'.repeat(16_000)}{ a }`).loc?.source.body).toBe('');
});
