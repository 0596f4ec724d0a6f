import fc from 'fast-check';
import {
  type DocumentNode,
  isAbstractType,
  OverlappingFieldsCanBeMergedRule,
  parse,
  validate,
} from 'graphql';
import { expect, test } from 'vitest';
import { documentLimits, documentRules, parseOptions } from '../../src/graphql/document-rules.ts';
import { createDocumentValidation } from '../../src/graphql/document-validation.ts';
import { mergeableFieldsRule } from '../../src/graphql/mergeable-fields-rule.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import { times } from './times.ts';

const schema = await buildGatewaySchema();
const validateDocument = createDocumentValidation({
  schema,
  rules: documentRules({ introspection: false }),
  suggestions: true,
});

/** How often validation reads a property of the document's nodes and lists: its work, on whatever machine. */
function readsOf(document: DocumentNode): number {
  let reads = 0;
  const counted = new WeakMap<object, object>();

  function count<T>(value: T): T {
    if (typeof value !== 'object' || value === null || !(Array.isArray(value) || 'kind' in value))
      return value;
    const known = counted.get(value) ?? new Proxy(value, { get });
    counted.set(value, known);
    return known as T;
  }

  function get(target: object, key: string | symbol): unknown {
    reads += 1;
    return key === 'loc' ? undefined : count(Reflect.get(target, key));
  }

  validateDocument(count(document));
  return reads;
}

/** Documents by a size, each an attack on a rule that compares or follows what it should only read. */
const attacks: readonly (readonly [what: string, source: (size: number) => string])[] = [
  ['one field over and over', (size) => `{ message(id: 1) { ${times(size * 4, () => 'id')} } }`],
  ['one field with arguments', (size) => `{ ${times(size, () => 'message(id: 1) { id }')} }`],
  ['different fields of one name', (size) => `{ message(id: 1) { ${times(size, (n) => `a: x${n}`)} } }`],
  [
    'fragments that are spread together',
    (size) =>
      `{ messages { ${times(size, (n) => `...f${n}`)} } }
      ${times(size, (n) => `fragment f${n} on MessageConnection { edges { cursor } }`)}`,
  ],
  [
    'fragments that each spread the next twice',
    (size) => `{ message(id: 1) { ...f0 } }
      ${times(size, (n) => `fragment f${n} on Message { ...f${n + 1} ...f${n + 1} }`)}
      fragment f${size} on Message { id }`,
  ],
  [
    'fragments that each nest the next twice',
    (size) => `{ __type(name: "Message") { ...f0 } }
      ${times(size, (n) => `fragment f${n} on __Type { a: ofType { ...f${n + 1} } b: ofType { ...f${n + 1} } }`)}
      fragment f${size} on __Type { name }`,
  ],
  [
    'fragments that all spread each other',
    (size) => {
      const all = Math.ceil(Math.sqrt(size));
      const spreads = times(all, (n) => `...f${n}`);
      return `{ message(id: 1) { ...f0 } } ${times(all, (n) => `fragment f${n} on Message { ${spreads} }`)}`;
    },
  ],
  [
    'operations that share a fragment of unknown variables',
    (size) => `${times(size, (n) => `query q${n} { ...f }`)}
      fragment f on Query { ${times(size, (n) => `m${n}: message(id: $v${n}) { id }`)} }`,
  ],
  [
    'operations that share a fragment of a variable',
    (size) => `${times(size, (n) => `query q${n}($v: ID!) { ...f }`)}
      fragment f on Query { ${times(size, (n) => `m${n}: message(id: $v) { id }`)} }`,
  ],
  ['subscriptions', (size) => times(size, (n) => `subscription s${n} { a b }`)],
  ['unknown names', (size) => `{ message(id: 1) { ${times(size, (n) => `statu${n}`)} } }`],
  ['deep fields', (size) => `{ message(id: 1) ${'{ a '.repeat(size)}${'}'.repeat(size)} }`],
  ['deep values', (size) => `{ message(id: ${'['.repeat(size)}${']'.repeat(size)}) { id } }`],
  ['directives', (size) => `{ message(id: 1) { id ${times(size, () => '@skip(if: true)')} } }`],
];

test.each(attacks)('%s take no more reads for each token when there are more of them', (_what, source) => {
  const [few = 0, ...more] = [10, 20, 40, 80, 160].map((size) => readsPerToken(parse(source(size))));
  expect(Math.max(...more)).toBeLessThan(1.5 * few);
});

function readsPerToken(document: DocumentNode): number {
  return readsOf(document) / tokensOf(document);
}

function tokensOf(document: DocumentNode): number {
  let tokens = 0;
  for (let token = document.loc?.startToken; token; token = token.next ?? undefined) tokens += 1;
  return tokens;
}

const leaf = fc.constantFrom(
  'id',
  'a: id',
  'a: status',
  '__typename',
  'x(y: {p: 1, q: [2]}) { z }',
  'x(y: {q: [2], p: 1}) { z }',
  'x(w: 1, y: $v) { z }',
  'x(y: $v, w: 1) { z }',
  'x(y: $v)',
);

/** Selections on a message, which may spread the named fragments beside its fields. */
function selections(...spreads: string[]): fc.Arbitrary<string> {
  return fc.letrec<{ all: string; history: string; inline: string }>((tie) => ({
    all: listOf(leaf, tie('inline'), tie('history'), ...spreads.map((name) => fc.constant(`...${name}`))),
    inline: tie('all').map((inner) => `... on Message { ${inner} }`),
    history: fc
      .tuple(fc.constantFrom('history', 'b: history'), listOf(leaf, tie('history')))
      .map(([field, inner]) => `${field} { ${inner} }`),
  })).all;
}

function listOf(...items: fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  const item = fc.oneof({ withCrossShrink: true, depthSize: 'small' }, ...items);
  return fc.array(item, { minLength: 1, maxLength: 5 }).map((all) => all.join(' '));
}

const anyDocument = fc.tuple(selections('f', 'g'), selections('g'), selections()).map(
  ([one, two, three]) =>
    `query a { message(id: 1) { ${one} } } query b { message(id: 1) { ...f } } query c { message(id: 1) { ...g } }
    fragment f on Message { ${two} } fragment g on Message { ${three} }`,
);

test('fields can be merged by our rule where they can by that of graphql-js', () => {
  const verdicts = new Set<boolean>();
  fc.assert(
    fc.property(anyDocument, (source) => {
      const document = parse(source);
      const [ours, theirs] = [mergeableFieldsRule, OverlappingFieldsCanBeMergedRule].map(
        (rule) => validate(schema, document, [rule]).length === 0,
      );
      expect(ours).toBe(theirs);
      verdicts.add(ours === true);
    }),
    { numRuns: 500 },
  );
  expect(verdicts.size).toBe(2);
});

test('the schema has neither interfaces nor unions, for which that rule would be too strict', () => {
  expect(Object.values(schema.getTypeMap()).filter((type) => isAbstractType(type))).toEqual([]);
});

/** What 40 rules read where each of them reads each token a few times. */
const maxReadsPerToken = 250;

test('whatever document fits in the tokens is validated with a bounded number of reads', () => {
  const part = fc.constantFrom(
    'id ',
    'a: id ',
    'status ',
    '...f ',
    '... { id } ',
    '...g ',
    'history { at } ',
  );
  const body = fc.tuple(part, part, part).map((parts) => parts.join('').repeat(30));
  fc.assert(
    fc.property(body, body, body, (one, two, three) => {
      const source = `{ message(id: 1) { ${one} } }
        fragment f on Message { ${two} } fragment g on Message { ${three} }`;
      expect(readsOf(parse(source))).toBeLessThan(maxReadsPerToken * documentLimits.tokens);
    }),
    { numRuns: 50 },
  );
  expect(parseOptions.maxTokens).toBe(documentLimits.tokens);
});
