import {
  type DocumentNode,
  type FieldNode,
  type GraphQLArgument,
  GraphQLInt,
  type GraphQLSchema,
  getNamedType,
  Kind,
  type OperationDefinitionNode,
  TypeNameMetaFieldDef,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';
import { maxErrors } from './describe-error.ts';
import { maxLocations } from './document-source.ts';
import { asciiCost, type EstimatorOptions } from './field-cost.ts';
import { createIntrospectionCost, isIntrospection } from './introspection-cost.ts';
import { type PlannedField, planOperation } from './operation-plan.ts';
import { costOfType, declaredCost } from './type-cost.ts';

/** As the caller gave them: nothing is checked yet. */
export type Variables = Readonly<Record<string, unknown>>;

/** The most bytes that the answer to an operation can have as JSON. */
export type OperationCost = (variables: Variables) => number;

/** A number, or what depends on variables. */
type Cost = number | OperationCost;

/** `"": ,` around a name and its value. */
const punctuation = 4;
const braces = 2;
/** Of a field with nothing in it, however short: what it takes in memory until it is written, and the time to resolve it. */
const minFieldCost = 64;
/** Of what stands around the answer: `{"data":…}`, and on a socket its id of at most 128 characters. */
const envelopeCost = 512;

/** Of an error, but for its path and locations: a message of at most 256 characters, and what tells its code. */
const errorCost = 2_560;
const locationCost = 40;
/** The index of an item in a list, and the comma. */
const indexCost = 4;

/**
 * Compiles what an operation costs into a function of its variables: the declared cost of each field in its answer, with
 * the name that it has there, as often as it can be in it. The same without variables is added up only once.
 *
 * `Infinity`: it has more selections than are looked at.
 *
 * @param document a valid one, with `operation` in it.
 */
export function compileCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationCost {
  const plan = planOperation(schema, document, operation);
  if (!plan) return () => Number.POSITIVE_INFINITY;
  const dataCost = compileDataCost(schema, plan, operation);
  const otherCost = envelopeCost + errorsCost(plan);
  return (variables) => dataCost(variables) + otherCost;
}

/** The same for the object `data` of the answer alone. */
export function compileDataCost(
  schema: GraphQLSchema,
  plan: readonly PlannedField[],
  operation: OperationDefinitionNode,
): OperationCost {
  const introspectionCost = createIntrospectionCost(schema, minFieldCost);
  const definitions = new Map(
    operation.variableDefinitions?.map((definition) => [definition.variable.name.value, definition]),
  );

  function costOf(planned: PlannedField): Cost {
    const key = planned.name.length + punctuation;
    const value = valueCost(planned);
    return typeof value === 'number' ? Math.max(key + value, minFieldCost) : sum([key, value]);
  }

  function valueCost(planned: PlannedField): Cost {
    const { field, parent, nodes, selected } = planned;
    if (isIntrospection(field)) return introspectionCost(planned);
    if (field === TypeNameMetaFieldDef) return asciiCost(parent.name.length);
    const ofObject = sum([braces, ...selected.map(costOf)]);
    const declared = declaredCost(field);
    if (typeof declared === 'number') return declared;
    if (!declared) return selected.length > 0 ? ofObject : costOfType(getNamedType(field.type));
    const args = compileArguments(field.args, nodes[0], definitions);
    return estimate(declared, args, ofObject);
  }

  const total = sum([braces, ...plan.map(costOf)]);
  return typeof total === 'number' ? () => total : total;
}

function sum(costs: readonly Cost[]): Cost {
  const fixed = costs.reduce<number>((total, cost) => (typeof cost === 'number' ? total + cost : total), 0);
  const others = costs.filter((cost) => typeof cost !== 'number');
  if (others.length === 0) return fixed;
  return (variables) => others.reduce((total, cost) => total + cost(variables), fixed);
}

type CompiledArguments = EstimatorOptions['args'] | ((variables: Variables) => EstimatorOptions['args']);

function estimate(
  estimator: (options: EstimatorOptions) => number,
  args: CompiledArguments,
  child: Cost,
): Cost {
  if (typeof args !== 'function' && typeof child === 'number')
    return estimator({ args, childComplexity: child });
  return (variables) =>
    estimator({
      args: typeof args === 'function' ? args(variables) : args,
      childComplexity: typeof child === 'number' ? child : child(variables),
    });
}

/** The arguments of type Int: nothing else says how much comes back. */
function compileArguments(
  args: readonly GraphQLArgument[],
  node: FieldNode,
  definitions: ReadonlyMap<string, VariableDefinitionNode>,
): CompiledArguments {
  const readers = args
    .filter(({ type }) => getNamedType(type) === GraphQLInt)
    .map((arg) => [arg.name, compileArgument(arg, node, definitions)] as const);
  const read = (variables: Variables) =>
    Object.fromEntries(
      readers.map(([name, value]) => [name, typeof value === 'function' ? value(variables) : value]),
    );
  return readers.some(([, value]) => typeof value === 'function') ? read : read({});
}

/** Its value, or how to read it from the variables, with the defaults of both as graphql-js applies them. */
function compileArgument(
  { name, type, defaultValue }: GraphQLArgument,
  node: FieldNode,
  definitions: ReadonlyMap<string, VariableDefinitionNode>,
): number | null | undefined | ((variables: Variables) => unknown) {
  const value = node.arguments?.find((given) => given.name.value === name)?.value;
  const ofArgument = defaultValue as number | null | undefined;
  if (!value) return ofArgument;
  if (value.kind !== Kind.VARIABLE) return valueFromAST(value, type) as number | null | undefined;
  const variable = value.name.value;
  const given = definitions.get(variable)?.defaultValue;
  const otherwise = given ? (valueFromAST(given, GraphQLInt) as number | null | undefined) : ofArgument;
  return (variables) =>
    Object.hasOwn(variables, variable) && variables[variable] !== undefined ? variables[variable] : otherwise;
}

/** Of all errors that the answer can have, if each is of the field with the longest path and the most selections. */
function errorsCost(plan: readonly PlannedField[]): number {
  return maxErrors * (errorCost + longestPath(plan) + locationCost * maxLocations);
}

function longestPath(plan: readonly PlannedField[]): number {
  const lengths = plan.map(
    ({ name, selected }) => name.length + punctuation + indexCost + longestPath(selected),
  );
  return Math.max(0, ...lengths);
}
