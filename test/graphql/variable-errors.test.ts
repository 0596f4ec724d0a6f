import fc from 'fast-check';
import { buildSchema, Kind, parse } from 'graphql';
import { expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { variableErrors } from '../../src/graphql/variable-errors.ts';

const schema = buildSchema(`
  type Query { find(filter: Filter!): Int }
  input Filter { name: String!  size: Int  also: [Filter!] }
`);

function faultsOf(filter: unknown) {
  const [operation] = parse('query ($filter: Filter!) { find(filter: $filter) }').definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  const errors = variableErrors({ schema, operation, values: { filter }, suggestions: true });
  return errors.flatMap(({ originalError }) =>
    originalError instanceof GatewayError ? (originalError.faults ?? []) : [],
  );
}

/** Values that look like what graphql-js says of them. */
const misleading = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'x" at "filter.name"; no',
    ' at "filter.name"',
    'Field "name" of required type "X" was not provided.',
  ),
);

test('the path of a fault is where the value is, whatever the value says', () => {
  fc.assert(
    fc.property(misleading, fc.integer({ min: 0, max: 3 }), (text, index) => {
      const fine = Array.from({ length: index }, () => ({ name: 'fine' }));
      const filter = { name: text, also: [...fine, { name: text, size: text }] };
      const path = ['filter', 'also', String(index), 'size'];
      expect(faultsOf(filter)).toEqual([{ path, expected: 'a value of type Int' }]);
    }),
  );
});

test('a value that is no object at all is a fault of the variable', () => {
  fc.assert(
    fc.property(misleading, (text) => {
      expect(faultsOf(text)).toEqual([{ path: ['filter'], expected: 'a value of type Filter' }]);
    }),
  );
});

test('a field that does not exist is a fault at its name, whatever the name', () => {
  fc.assert(
    fc.property(misleading, (name) => {
      fc.pre(!['name', 'size', 'also', '__proto__'].includes(name));
      expect(faultsOf({ name: 'fine', [name]: 1 })).toEqual([
        { path: ['filter', name], expected: 'a field of Filter' },
      ]);
    }),
  );
});

test('a missing field is a fault at its name', () => {
  expect(faultsOf({ also: [{}] })).toEqual([
    { path: ['filter', 'name'], expected: 'a value of type String!' },
    { path: ['filter', 'also', '0', 'name'], expected: 'a value of type String!' },
  ]);
});
