import type { ExecutionArgs, OperationDefinitionNode } from 'graphql';
import { badUserInput, type GatewayError } from '../errors.ts';

type VariableValues = ExecutionArgs['variableValues'];

/** Characters of the variables of a subscription, as JSON. An id of Pingup's has 256 at most. */
export const maxSubscriptionVariables = 512;

/** The variables that an operation declares. Whatever else was sent is not kept while it runs. */
export function declaredVariables(
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: VariableValues,
): Record<string, unknown> {
  const names = variableDefinitions.map(({ variable }) => variable.name.value);
  const values = variables ?? {};
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(values, name)).map((name) => [name, values[name]]),
  );
}

/** What is wrong with the variables of a subscription, which are kept as long as it runs. */
export function checkSubscriptionVariables(variables: VariableValues): GatewayError | undefined {
  if (charactersOf(variables) <= maxSubscriptionVariables) return undefined;
  const expected = `at most ${maxSubscriptionVariables} characters as JSON`;
  return badUserInput([{ path: ['variables'], expected }]);
}

/** Of the variables as JSON. Nested too deep, they cannot be written. */
export function charactersOf(variables: VariableValues): number {
  try {
    return JSON.stringify(variables ?? {}).length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
