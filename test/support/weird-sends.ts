import fc from 'fast-check';

/** The fields of a SendTextMessageInput, each as JSON text: numbers can be such as no JavaScript number is. */
export type RawInput = Readonly<Record<string, string>>;

/** A request that asks to send texts, or looks a little like one. */
export interface WeirdSend {
  /** JSON text, or what was meant to be. */
  readonly body: string;
  /** What was to be sent, where the body is well-formed. */
  readonly input: RawInput | null;
  /** The answer may call one field by another's name: a torn document can have aliases. */
  readonly renamed?: boolean;
}

/** What is asked of each send that may be accepted, so that the answer can be held against what Pingup got. */
const asked = '{ replayed message { id client clientPhone clientName textMessage delay } }';
const document = `mutation ($input: SendTextMessageInput!) { sendTextMessage(input: $input) ${asked} }`;

const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'input', 'business'];
const oddStrings = [
  ...names,
  ...[
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'a\udfffb',
    '\udc00\ud800',
    '\ufeff',
    '\u202e',
    '\u2028',
    '\u0085',
  ],
  ...['null', 'NaN', '-0', '"', '\\', '\\u0000', '{}', '$input', '"""', '\r\n', "';--", '../acme', 'acme'],
  '👩‍👩‍👧‍👦'.repeat(100),
  'e\u0301'.repeat(128),
  '😀'.repeat(4_096),
];
const oddNumbers = [
  ...[
    '0',
    '-0',
    '1',
    '-1',
    '1.5',
    '1e2',
    '1E+2',
    '12e-1',
    '2147483648',
    '9007199254740991',
    '9007199254740992',
  ],
  ...['9007199254740993', '-9007199254740993', '18446744073709551616', '393121234567890123456', '1e21'],
  ...['1e308', '1e309', '-1e400', '5e-324', '0.1', '0.30000000000000004', `1${'0'.repeat(400)}`],
];

const anyString = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 3, arbitrary: fc.constantFrom(...oddStrings) },
  { weight: 1, arbitrary: fc.integer({ min: 250, max: 5_000 }).map((length) => 'x'.repeat(length)) },
);

/** Any JSON value, as text. */
const anyJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 80, arbitrary: anyString.map((text) => JSON.stringify(text)) },
  { weight: 60, arbitrary: fc.constantFrom(...oddNumbers) },
  {
    weight: 20,
    arbitrary: fc.constantFrom('true', 'false', 'null', '[]', '{}', '[null]', '[[]]', '{"":{}}'),
  },
  { weight: 20, arbitrary: fc.json({ maxDepth: 4, stringUnit: 'binary' }) },
  { weight: 20, arbitrary: fc.constantFrom(...names).map((name) => `{"${name}":{"${name}":"reads"}}`) },
  { weight: 20, arbitrary: fc.integer({ min: 10, max: 5_000 }).map(nested) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 60_000, max: 300_000 }).map((length) => `"${'y'.repeat(length)}"`),
  },
);

function nested(depth: number): string {
  return depth % 2 === 0
    ? `${'['.repeat(depth)}${']'.repeat(depth)}`
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

/** Mostly what is right, so that the rest of the input is looked at as well. */
function mostly(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 9, arbitrary: right.map((text) => JSON.stringify(text)) },
    { weight: 1, arbitrary: anyJson },
  );
}

const rightPhones = ['+39 312 123 4567', '00393121234567', '393121234567', '(39) 312/123-4567', '1234567'];
const rightTexts = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
  fc.constantFrom('Hello', '😀'),
);

const anyInput: fc.Arbitrary<RawInput> = fc.record(
  {
    client: mostly(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })),
    clientPhone: mostly(fc.constantFrom(...rightPhones)),
    clientName: mostly(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })),
    textMessage: mostly(rightTexts),
    delay: mostly(fc.constantFrom('1s', '2d', '10m', '1w')),
    idempotencyKey: mostly(fc.uuid()),
  },
  { requiredKeys: ['textMessage'] },
);

const extraFields = fc.dictionary(fc.oneof(fc.constantFrom(...names, 'text', 'Client'), anyString), anyJson, {
  minKeys: 1,
  maxKeys: 3,
});

function object(fields: Iterable<readonly [string, string]>): string {
  return `{${[...fields].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

function request(query: string, variables?: string): string {
  return object([
    ['query', JSON.stringify(query)],
    ...(variables ? [['variables', variables] as const] : []),
  ]);
}

/** The document that everybody sends, with any input. */
const byVariable = anyInput.map((input) => ({
  body: request(document, object([['input', object(Object.entries(input))]])),
  input,
}));

/** The same, and fields that are none. */
const withMore = fc.tuple(anyInput, extraFields).map(([input, extra]) => ({
  body: request(document, object([['input', object([...Object.entries(input), ...Object.entries(extra)])]])),
  input,
}));

/** The input as literals of the document: JSON is GraphQL but for the quotes around names. */
const byLiteral = anyInput.map((input) => {
  const fields = Object.entries(input).map(([name, json]) => `${name}: ${json}`);
  return { body: request(`mutation { sendTextMessage(input: {${fields.join(', ')}}) ${asked} }`), input };
});

/** Variables that are anything but what the document asks for. */
const wrongVariables = fc
  .tuple(anyJson, fc.constantFrom('input', ...names))
  .map(([json, name]) => ({ body: request(document, object([[name, json]])), input: null }));

const pieces = [
  ...[
    '{',
    '}',
    '(',
    ')',
    '$',
    '!',
    '...',
    '@skip(if: true)',
    '@include(if: $input)',
    '@nope',
    '"""',
    '#',
    '\u0000',
  ],
  ...[
    'fragment F on Message { id }',
    '...F',
    '... on Message { id }',
    'subscription',
    'query',
    'mutation A',
    '__typename',
  ],
  ...[
    '__schema { types { name } }',
    'message',
    ':',
    'a: ',
    'input: $input',
    '$input: ID',
    '[',
    '&',
    '\ud800',
    '😀',
    '\\',
  ],
];

/** Documents that somebody has cut, torn and mended. They have no idempotency key: each send in them is one. */
const mutated = fc
  .array(
    fc.tuple(fc.nat(document.length), fc.nat(12), fc.oneof(fc.constant(''), fc.constantFrom(...pieces))),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((cuts) => {
    const torn = cuts.reduce(
      (text, [at, length, piece]) => text.slice(0, at) + piece + text.slice(at + length),
      document,
    );
    const body = request(torn, '{"input":{"client":"reads","textMessage":"Torn"}}');
    return { body, input: null, renamed: true };
  });

/** Many sends in one document, up to more than it may have. */
const repeated = fc.integer({ min: 2, max: 40 }).map((count) => {
  const field = 'sendTextMessage(input: {client: "reads", textMessage: "Again"})';
  const fields = Array.from({ length: count }, (_, index) => `a${index}: ${field} ${asked}`);
  return { body: request(`mutation { ${fields.join(' ')} }`), input: null };
});

/** Documents too deep, too long, or too clever. */
const excessive = fc.tuple(fc.constantFrom(0, 1, 2), fc.integer({ min: 5, max: 400 })).map(([kind, size]) => {
  const deep = `mutation { sendTextMessage(input: {textMessage: ${'['.repeat(size)}${']'.repeat(size)}}) { replayed } }`;
  const cyclic = `mutation { ...A } fragment A on Mutation { ${'...B '.repeat(size)} } fragment B on Mutation { ...A }`;
  const long = `mutation { sendTextMessage(input: {textMessage: ""}) { ${'replayed '.repeat(size)} } }`;
  return { body: request([deep, cyclic, long][kind] ?? ''), input: null };
});

const keys = ['query', 'variables', 'operationName', 'extensions', ...names];

/** Bodies that are hardly requests, or no JSON. */
const junk = fc.oneof(
  anyJson,
  fc.string({ unit: 'binary' }),
  fc.dictionary(fc.constantFrom(...keys), anyJson).map((fields) => object(Object.entries(fields))),
  fc.array(fc.constant(request('{ __typename }')), { maxLength: 3 }).map((some) => `[${some}]`),
  fc.tuple(fc.constantFrom(...keys.slice(1)), anyJson).map(([key, json]) =>
    object([
      ['query', JSON.stringify('mutation A { __typename }')],
      [key, json],
    ]),
  ),
);

/** What may go over the socket too, where a request that is none ends the connection. */
export const weirdOperation: fc.Arbitrary<WeirdSend> = fc.oneof(
  { weight: 80, arbitrary: byVariable },
  { weight: 20, arbitrary: withMore },
  { weight: 30, arbitrary: byLiteral },
  { weight: 20, arbitrary: wrongVariables },
  { weight: 40, arbitrary: mutated },
  { weight: 3, arbitrary: repeated },
  { weight: 5, arbitrary: excessive },
);

export const weirdSend: fc.Arbitrary<WeirdSend> = fc.oneof(
  { weight: 10, arbitrary: weirdOperation },
  { weight: 1, arbitrary: junk.map((body) => ({ body, input: null })) },
);
