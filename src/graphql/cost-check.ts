import { type DocumentNode, GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { compileCost, type OperationCost, type Variables } from './operation-cost.ts';
import { checkCosts } from './type-cost.ts';

/** The most bytes of an answer. Only operations whose answers could be longer are refused; no answer is cut. */
export const maxAnswerBytes = 4 * 1024 * 1024;

/** What an operation with these variables costs, in bytes of its answer, or why it is refused before it runs. */
export type CheckCost = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables | null | undefined,
) => number | GraphQLError;

/**
 * Checks what operations cost. Each is compiled once, for as long as its document is kept.
 *
 * @throws Error if a field of the schema lacks a cost.
 */
export function createCostCheck(schema: GraphQLSchema): CheckCost {
  checkCosts(schema);
  const compiled = new WeakMap<OperationDefinitionNode, OperationCost>();

  function costOf(document: DocumentNode, operation: OperationDefinitionNode): OperationCost {
    const known = compiled.get(operation);
    if (known) return known;
    const cost = compileCost(schema, document, operation);
    compiled.set(operation, cost);
    return cost;
  }

  return (document, operation, variables) => {
    const cost = costOf(document, operation)(variables ?? {});
    return cost > maxAnswerBytes ? tooLarge(cost) : cost;
  };
}

function tooLarge(cost: number): GraphQLError {
  const could = Number.isFinite(cost) ? `could return ${cost} bytes` : 'has too many selections';
  const message =
    `The operation ${could}, which is its cost; an answer may have ${maxAnswerBytes}. ` +
    'Ask for fewer items (`first`), fields or aliases, or in several operations.';
  return new GraphQLError(message, { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });
}
