import fc from 'fast-check';
import { type DocumentNode, parse } from 'graphql';
import { expect, test } from 'vitest';
import { createOperationBudget } from '../../src/graphql/operation-budget.ts';

const small = (name: string) => parse(`{ ${name} }`);

/** How many operations with a document of their own begin before there is no room. */
function countRoom(budget: ReturnType<typeof createOperationBudget>, make: (name: string) => DocumentNode) {
  let begun = 0;
  while (begun < 10_000 && budget.begin({}, make(`a${begun}`), 0)) begun += 1;
  return begun;
}

test('a document counts once, however many operations use it, and no longer than they do', () => {
  const budget = createOperationBudget({ maxDocumentBytes: 3_000 });
  const shared = small('a');
  const operations = Array.from({ length: 1_000 }, () => ({}));
  for (const operation of operations) expect(budget.begin(operation, shared, 0)).toBe(true);
  const room = countRoom(budget, small);
  expect(room).toBeLessThan(5);
  for (const operation of operations.slice(1)) budget.end(operation);
  expect(budget.begin({}, small('b'), 0)).toBe(false);
  budget.end(operations[0] ?? {});
  expect(budget.begin({}, small('b'), 0)).toBe(true);
});

test('a document weighs by what it takes once it is parsed: nodes, and its text, comments included', () => {
  const room = (make: (name: string) => DocumentNode) =>
    countRoom(createOperationBudget({ maxDocumentBytes: 2_000_000 }), make);
  expect(room((name) => parse(`{ ${name} ${'a '.repeat(990)} }`))).toBeLessThanOrEqual(7);
  expect(room((name) => parse(`{ ${name} } #${'c'.repeat(16_000)}`))).toBeLessThan(63);
  expect(room(small)).toBeGreaterThan(500);
});

test('the variables of all running operations have a bound together', () => {
  const budget = createOperationBudget({ maxVariableCharacters: 100 });
  const [document, first] = [small('a'), {}];
  expect(budget.begin(first, document, 60)).toBe(true);
  expect(budget.begin({}, document, 41)).toBe(false);
  expect(budget.begin({}, document, 40)).toBe(true);
  budget.end(first);
  expect(budget.begin({}, document, 60)).toBe(true);
});

test('whatever begins and ends in whatever order, all of it twice: nothing is left', () => {
  const documents = ['a', 'b', 'c'].map(small);
  const steps = fc.array(fc.tuple(fc.nat(5), fc.nat(2), fc.nat(50)), { maxLength: 50 });
  fc.assert(
    fc.property(steps, (all) => {
      const budget = createOperationBudget({ maxDocumentBytes: 6_000, maxVariableCharacters: 100 });
      const operations = Array.from({ length: 6 }, () => ({}));
      const running = new Set<object>();
      for (const [index, document, characters] of all) {
        const operation = operations[index] ?? {};
        if (running.delete(operation)) budget.end(operation);
        else if (budget.begin(operation, documents[document] ?? small('d'), characters))
          running.add(operation);
      }
      for (const operation of [...operations, ...operations]) budget.end(operation);
      expect(budget.begin({}, small('d'), 100)).toBe(true);
    }),
  );
});
