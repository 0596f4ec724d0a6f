import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { createDocumentCache, maxCachedCharacters } from '../../src/graphql/document-cache.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';

const schema = await buildGatewaySchema();
const source = '{ message(id: "m") { id } }';

test('a valid document is parsed once', () => {
  const check = createDocumentCache(schema, []);
  expect(check(source)).toHaveProperty('kind', 'Document');
  expect(check(source)).toBe(check(source));
});

test('an invalid document is not kept', () => {
  const check = createDocumentCache(schema, []);
  for (const invalid of ['{ message(', '{ messge }']) {
    expect(check(invalid)).toEqual([expect.any(GraphQLError)]);
    expect(check(invalid)).not.toBe(check(invalid));
  }
});

test('a flood of different documents takes the place of the oldest', () => {
  const check = createDocumentCache(schema, []);
  const first = check(source);
  const padding = ' '.repeat(maxCachedCharacters / 8);
  for (let index = 0; index < 8; index++) check(`{ message(id: ${index}) { id } } ${padding}`);
  expect(check(source)).not.toBe(first);
});
