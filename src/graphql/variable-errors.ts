import {
  coerceInputValue,
  GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
} from 'graphql';
import { cutText } from '../cut-text.ts';
import { GatewayError, type InputFault } from '../errors.ts';
import { maxErrors } from './describe-error.ts';

export interface OperationVariables {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether an error may suggest names of the schema. */
  readonly suggestions: boolean;
}

/**
 * What is wrong with the values of an operation's variables: at most as many errors as an answer shows, each
 * BAD_USER_INPUT with its fault. The path of a fault starts with the variable's name, and counts items of a list from 0:
 * `['status', '1']`.
 *
 * graphql-js finds the same, but quotes the whole value in each of up to 50 messages, and tells the path in words alone.
 */
export function variableErrors({
  schema,
  operation,
  values,
  suggestions,
}: OperationVariables): readonly GraphQLError[] {
  const errors: GraphQLError[] = [];

  function report(node: VariableDefinitionNode, fault: InputFault, reason: string): void {
    errors.push(invalidVariable(node, fault, reason));
    if (errors.length >= maxErrors) throw new TooManyErrors();
  }

  try {
    for (const node of operation.variableDefinitions ?? []) {
      const type = typeFromAST(schema, node.type);
      if (isInputType(type)) checkVariable({ node, type, values, suggestions, report });
    }
  } catch (error) {
    if (!(error instanceof TooManyErrors)) throw error;
  }
  return errors;
}

/** Ends graphql-js' search for more. */
class TooManyErrors extends Error {}

interface VariableCheck extends Pick<OperationVariables, 'values' | 'suggestions'> {
  readonly node: VariableDefinitionNode;
  readonly type: GraphQLInputType;
  report(node: VariableDefinitionNode, fault: InputFault, reason: string): void;
}

function checkVariable({ node, type, values, suggestions, report }: VariableCheck): void {
  const name = node.variable.name.value;
  if (!Object.hasOwn(values, name)) {
    if (node.defaultValue || !isNonNullType(type)) return;
    report(node, { path: [name], expected: aValueOf(type) }, 'it was not provided');
    return;
  }
  function onError(path: readonly (string | number)[], value: unknown, { message }: GraphQLError): void {
    const fault = describeFault([name, ...path.map(String)], value, typeAt(type, path), message);
    report(node, fault, cutText(message));
  }
  coerceInputValue(values[name], type, onError, !suggestions);
}

function typeAt(type: GraphQLInputType, path: readonly (string | number)[]): GraphQLInputType {
  return path.reduce(typeWithin, type);
}

function typeWithin(type: GraphQLInputType, part: string | number): GraphQLInputType {
  const outer = getNullableType(type);
  if (isListType(outer)) return typeof part === 'number' ? outer.ofType : typeWithin(outer.ofType, part);
  return (isInputObjectType(outer) && outer.getFields()[part]?.type) || outer;
}

/** For a field that is missing or unknown, graphql-js gives the path of its object, and its name in the message alone. */
function describeFault(
  path: readonly string[],
  value: unknown,
  type: GraphQLInputType,
  message: string,
): InputFault {
  const expectedType = value == null ? type : itemType(type, value);
  if (isInputObjectType(expectedType) && message.startsWith(fieldPrefix)) {
    const missing = Object.values(expectedType.getFields()).find(
      (field) => message === `Field "${field.name}" of required type "${field.type}" was not provided.`,
    );
    if (missing) return { path: [...path, missing.name], expected: aValueOf(missing.type) };
    const end = message.lastIndexOf(`" is not defined by type "${expectedType.name}".`);
    const unknown = cutText(message.slice(fieldPrefix.length, end));
    if (end >= 0) return { path: [...path, unknown], expected: `a field of ${expectedType.name}` };
  }
  return { path, expected: ownExpectation(message) ?? aValueOf(expectedType) };
}

const fieldPrefix = 'Field "';

/** The nullable type of a value: where a list is expected, one value alone stands for its only item. */
function itemType(type: GraphQLInputType, value: unknown): GraphQLInputType {
  const nullable = getNullableType(type);
  return isListType(nullable) && !Array.isArray(value) ? itemType(nullable.ofType, value) : nullable;
}

const ownPrefix = 'expected ';

/** What our own scalars say: `expected <what>, not <the value>`. */
function ownExpectation(message: string): string | undefined {
  const end = message.indexOf(', not ');
  return message.startsWith(ownPrefix) && end >= 0 ? message.slice(ownPrefix.length, end) : undefined;
}

function aValueOf(type: GraphQLInputType): string {
  return `a value of type ${type}`;
}

function invalidVariable(nodes: VariableDefinitionNode, fault: InputFault, reason: string): GraphQLError {
  const message = cutText(
    `Variable "$${nodes.variable.name.value}" is invalid at "${fault.path.join('.')}": ${reason}`,
  );
  const originalError = new GatewayError('BAD_USER_INPUT', message, { faults: [fault] });
  return new GraphQLError(message, { nodes, originalError });
}
