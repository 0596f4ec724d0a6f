import { buildSchema, getIntrospectionQuery, getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import { maxAnswerBytes } from '../../src/graphql/cost-check.ts';
import { compileCost } from '../../src/graphql/operation-cost.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import { checkCosts } from '../../src/graphql/type-cost.ts';

const schema = await buildGatewaySchema();

function costOf(source: string, variables = {}, operationName?: string): number {
  const document = parse(source);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new Error('no operation');
  return compileCost(schema, document, operation)(variables);
}

const page = (first: string, variables = '') =>
  `query ${variables} { messages${first} { edges { node { textMessage } } } }`;
const of = (count: number) => costOf(page(`(first: ${count})`));

test('a page costs what it has, whether `first` is a literal, a variable, a default, null or absent', () => {
  expect(of(100) - of(99)).toBe(of(20) - of(19));
  expect(of(100)).toBeGreaterThan(100 * 6 * 4_096);
  const byVariable = page('(first: $n)', '($n: Int)');
  expect(costOf(byVariable, { n: 100 })).toBe(of(100));
  expect(costOf(byVariable, { n: 3 })).toBe(of(3));
  expect(costOf(byVariable, { n: null })).toBe(of(20));
  expect(costOf(byVariable)).toBe(of(20));
  const byDefault = page('(first: $n)', '($n: Int = 50)');
  expect(costOf(byDefault)).toBe(of(50));
  expect(costOf(byDefault, { n: undefined })).toBe(of(50));
  expect(costOf(byDefault, { n: null })).toBe(of(20));
  expect(costOf(byDefault, { n: 1 })).toBe(of(1));
  expect(costOf(page('(first: $n)', '($n: Int = null)'))).toBe(of(20));
  expect(costOf(page('(first: null)'))).toBe(of(20));
  expect(costOf(page(''))).toBe(of(20));
});

test('a page that the resolver or the coercion of variables refuses costs one item', () => {
  const byVariable = page('(first: $n)', '($n: Int)');
  for (const n of [0, -1, 101, 2 ** 31, 1e308, 2.5, '100', [100], { n: 100 }, true])
    expect(costOf(byVariable, { n })).toBe(of(1));
  expect(costOf(page('(first: 0)'))).toBe(of(1));
  expect(costOf(page('(first: 2147483648)'))).toBe(of(20));
});

test('a variable that is named as a property of every object is absent', () => {
  expect(costOf(page('(first: $constructor)', '($constructor: Int)'))).toBe(of(20));
  expect(costOf(page('(first: $__proto__)', '($__proto__: Int)'))).toBe(of(20));
});

test('each alias costs again, with its own length; the same name twice does not', () => {
  const once = costOf('{ message(id: 1) { textMessage } }');
  const twice = costOf('{ message(id: 1) { textMessage b: textMessage } }');
  expect(twice - once).toBeGreaterThan(6 * 4_096);
  expect(costOf('{ message(id: 1) { textMessage textMessage } }') - once).toBeLessThan(1_000);
  const name = 'x'.repeat(10_000);
  const long = costOf(`{ messages(first: 100) { edges { node { ${name}: revision } } } }`);
  expect(long).toBeGreaterThan(100 * 10_000);
});

test('a fragment costs as often as its fields are in the answer', () => {
  const fragment = 'fragment F on Message { textMessage }';
  const plain = costOf('{ message(id: 1) { textMessage } }');
  const repeated = costOf(
    `{ message(id: 1) { ...F ... { ...F } ... on Message { textMessage } } } ${fragment}`,
  );
  expect(repeated - plain).toBeLessThan(20 * 40 * 4);
  const twoMessages = costOf(`{ a: message(id: 1) { ...F } b: message(id: 2) { ...F } } ${fragment}`);
  expect(twoMessages).toBeGreaterThan(plain + 5 * 4_096);
});

test('what @skip and @include may leave out costs as if it were there', () => {
  const plain = costOf('{ message(id: 1) { id textMessage } }');
  const query = (condition: string) =>
    costOf(`query ($no: Boolean = false) { message(id: 1) { id textMessage ${condition} } }`);
  expect(query('@include(if: $no)')).toBe(plain);
  expect(query('@skip(if: true)')).toBe(plain);
});

test('a piece of a body costs its length', () => {
  const of = (args: string) => costOf(`{ quarantinedCallbacks(first: 1) { edges { node { raw${args} } } } }`);
  expect(of('(length: 2000)') - of('(length: 1000)')).toBe(6_000);
  expect(of('')).toBe(of('(offset: 5, length: 16384)'));
  expect(of('(length: 16385)')).toBeLessThan(of('(length: 1000)'));
});

test('a subscription costs one of its states', () => {
  const cost = (operation: string) => costOf(`${operation} { textMessage history { rawStatus } } }`);
  expect(cost('subscription { a: messageStatus(messageId: 1)')).toBe(cost('{ a: message(id: 1)'));
});

test('of several operations, each has its own cost', () => {
  const source = `query Dear ${page('(first: 100)').slice('query '.length)} query Cheap { __typename }`;
  expect(costOf(source, {}, 'Dear')).toBe(of(100));
  expect(costOf(source, {}, 'Cheap')).toBe(costOf('{ __typename }'));
});

test('introspection costs about what it answers', () => {
  const cost = costOf(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }));
  expect(cost).toBeGreaterThan(50_000);
  expect(cost).toBeLessThan(maxAnswerBytes / 8);
});

test('introspection of a type that a variable names costs as that of the largest type', () => {
  const cost = (name: string) =>
    costOf(`query ($name: String!) { __type(name: ${name}) { fields { name description } } }`, {
      name: 'None',
    });
  expect(cost('$name')).toBe(cost('"Message"'));
  expect(cost('"PageInfo"')).toBeLessThan(cost('"Message"'));
  expect(cost('"None"')).toBeLessThan(cost('"PageInfo"'));
});

test('fragments that multiply are given up, and cost more than any limit', () => {
  const spreads = (next: number) => ['a', 'b', 'c', 'd'].map((n) => `${n}: ofType { ...F${next} }`).join(' ');
  const fragments = Array.from({ length: 9 }, (_, n) => `fragment F${n} on __Type { ${spreads(n + 1)} }`);
  const query = `{ __type(name: "Message") { ...F0 } } ${fragments.join(' ')} fragment F9 on __Type { name }`;
  expect(costOf(query)).toBe(Number.POSITIVE_INFINITY);
});

test('a schema with a text or a list whose cost nobody declared is not served', () => {
  expect(() =>
    checkCosts(buildSchema('type Query { a: String b: Int c: [Query!] d: [Int!]! e: Query }')),
  ).toThrow('these fields need a complexity: Query.a, Query.c, Query.d');
  expect(() => checkCosts(schema)).not.toThrow();
});
