import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import {
  createDocumentCache,
  type DocumentCacheOptions,
  documentSize,
  maxCachedSize,
} from '../../src/graphql/document-cache.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';

const schema = await buildGatewaySchema();
const source = '{ message(id: "m") { id } }';
const maxDocumentBytes = 16_384;

function createCache(options: Partial<DocumentCacheOptions> = {}) {
  return createDocumentCache({ schema, rules: [], suggestions: true, maxDocumentBytes, ...options });
}

test('a valid document is parsed once', () => {
  const check = createCache();
  expect(check(source).document).toHaveProperty('kind', 'Document');
  expect(check(source)).toBe(check(source));
});

test('an invalid document is not kept', () => {
  const check = createCache();
  for (const invalid of ['{ message(', '{ messge }']) {
    expect(check(invalid).errors).toEqual([expect.any(GraphQLError)]);
    expect(check(invalid)).not.toBe(check(invalid));
  }
});

test.each([
  ['large', maxDocumentBytes - 100],
  ['small', 0],
])('a flood of different %s documents takes the place of the oldest', (_size, padding) => {
  const check = createCache();
  const first = check(source);
  const distinct = (index: number) => `{ message(id: ${index}) { id } } #${'x'.repeat(padding)}`;
  const fitting = Math.floor(maxCachedSize / documentSize(distinct(999)));
  for (let index = 0; index <= fitting; index += 1) check(distinct(index));
  expect(check(source)).not.toBe(first);
});

test('a document counts its comments, and 2,000 besides', () => {
  const { size } = { size: 0, ...createCache()(`${source}#${'x'.repeat(100)}`) };
  expect(size).toBe(source.length + 101 + 2_000);
});

test('a document of more bytes than it may have is refused unparsed, comments included', () => {
  const check = createCache({ maxDocumentBytes: 1_024 });
  const fits = `${source}#`.padEnd(1_024, 'x');
  expect(check(fits).errors).toBeUndefined();
  for (const tooLarge of [`${fits}x`, '}'.repeat(1_025), `${source}#${'\u20ac'.repeat(340)}`]) {
    const [error] = check(tooLarge).errors ?? [];
    expect(error?.message).toContain('it may have at most 1024, comments included');
    expect(error?.extensions['code']).toBe('GRAPHQL_PARSE_FAILED');
  }
});
