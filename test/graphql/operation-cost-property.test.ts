import fc from 'fast-check';
import { execute, getOperationAST, validate } from 'graphql';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { maxAnswerBytes } from '../../src/graphql/cost-check.ts';
import { createErrorDescriber, describeErrors } from '../../src/graphql/describe-error.ts';
import { parseDocument } from '../../src/graphql/document-source.ts';
import { compileCost, compileDataCost } from '../../src/graphql/operation-cost.ts';
import { planOperation } from '../../src/graphql/operation-plan.ts';
import { buildGatewaySchema } from '../../src/graphql/schema.ts';
import { randomOperations } from './random-documents.ts';
import { dearCharacters, worstContext } from './worst-answers.ts';

const schema = await buildGatewaySchema();
const describeError = createErrorDescriber(pino({ level: 'silent' }));

type Variables = Readonly<Record<string, unknown>>;

function read(source: string) {
  const document = parseDocument(source);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return { document, operation };
}

async function answer(source: string, variables: Variables, contextValue: unknown) {
  const { document } = read(source);
  const { data, errors = [] } = await execute({ schema, document, contextValue, variableValues: variables });
  return { data: data ?? null, errors: describeErrors(errors, describeError) };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function costOf(source: string, variables: Variables = {}): number {
  const { document, operation } = read(source);
  // It would be refused anyway, but must not cost less for that.
  const faults = validate(schema, document).filter(({ message }) => !/introspection depth/.test(message));
  expect(faults).toEqual([]);
  return compileCost(schema, document, operation)(variables);
}

function dataCostOf(source: string, variables: Variables = {}): number {
  const { document, operation } = read(source);
  const plan = planOperation(schema, document, operation) ?? [];
  return compileDataCost(schema, plan, operation)(variables);
}

test('no answer has more bytes than its operation costs, whatever is asked for and however long every text is', async () => {
  const character = fc.constantFrom(...dearCharacters);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(randomOperations(schema), character, async ({ source, variables }, longest) => {
      const cost = costOf(source, variables);
      if (cost > maxAnswerBytes) return;
      run += 1;
      const result = await answer(source, variables, worstContext(longest));
      expect(cost).toBeGreaterThanOrEqual(bytesOf(result));
      expect(dataCostOf(source, variables)).toBeGreaterThanOrEqual(bytesOf(result.data));
    }),
    { numRuns: 200, endOnFailure: true },
  );
  expect(run).toBeGreaterThan(100);
}, 60_000);

const everything = `id business client clientPhone clientName textMessage delay scheduledFor status revision acceptedAt
  updatedAt failure { code reason } history { status at receivedAt rawStatus }`;

test.each([
  ['messages', `{ messages(first: 100) { edges { cursor node { ${everything} } } } }`],
  ['sends', '{ sends(first: 100) { edges { cursor node { id business client clientName messageId } } } }'],
  ['quarantined bodies', '{ quarantinedCallbacks(first: 40) { edges { node { raw reason } } } }'],
])('a page of %s costs at most a fifth more than the longest there can be', async (_what, source) => {
  const bytes = bytesOf(await answer(source, {}, worstContext('\u0001')));
  expect(costOf(source)).toBeGreaterThanOrEqual(bytes);
  expect(costOf(source)).toBeLessThan(1.2 * bytes);
});
