import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import type { GatewayContext } from './context.ts';
import { createCostCheck } from './cost-check.ts';
import { type CheckedDocument, createDocumentCache, type DocumentCacheOptions } from './document-cache.ts';
import { createOperationGate, tooManyOperations } from './operation-gate.ts';
import { charactersOf, declaredVariables } from './operation-variables.ts';
import { type SubscriptionResults, subscribeByTurns } from './subscription-results.ts';
import { variableErrors } from './variable-errors.ts';

/** An operation as a caller asks for it. */
export interface OperationRequest {
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
  readonly operationName?: string | null | undefined;
}

/** An operation that may run, or why it may not. */
export type PreparedOperation =
  | {
      readonly args: ExecutionArgs;
      readonly operation: OperationDefinitionNode;
      readonly errors?: undefined;
    }
  | { readonly args?: undefined; readonly operation?: undefined; readonly errors: readonly GraphQLError[] };

/** Checks documents and runs operations, the same for each transport. Whatever goes wrong is an error of the result. */
export interface OperationRunner {
  readonly schema: GraphQLSchema;
  check(source: string): CheckedDocument;
  prepare(
    checked: CheckedDocument,
    request: OperationRequest,
    contextValue: GatewayContext,
  ): PreparedOperation;
  execute(args: ExecutionArgs): Promise<ExecutionResult>;
  subscribe(args: ExecutionArgs): Promise<SubscriptionResults | ExecutionResult>;
}

/** @throws Error if a field of the schema lacks a cost. */
export function createOperationRunner(options: DocumentCacheOptions): OperationRunner {
  const { schema, suggestions } = options;
  const checkCost = createCostCheck(schema);
  const gate = createOperationGate();
  let mutations = 0;
  const queryCosts = new WeakMap<ExecutionArgs, number>();

  function prepare(
    checked: CheckedDocument,
    { variables, operationName }: OperationRequest,
    contextValue: GatewayContext,
  ): PreparedOperation {
    if (checked.errors) return { errors: checked.errors };
    const { document } = checked;
    const operation = getOperationAST(document, operationName);
    if (!operation) return { errors: [unknownOperation(operationName)] };
    const cost = checkCost(document, operation, variables);
    if (typeof cost !== 'number') return { errors: [cost] };
    const args: ExecutionArgs = {
      schema,
      document,
      contextValue,
      variableValues: declaredVariables(operation, variables),
      // The document's own text of it: what was sent with the request is not kept while it runs.
      operationName: operation.name?.value ?? null,
      hideSuggestions: !suggestions,
      options: executionOptions,
    };
    if (operation.operation === OperationTypeNode.QUERY) queryCosts.set(args, cost);
    return { args, operation };
  }

  async function limitMutations<T>(runNow: () => Promise<T>): Promise<T> {
    if (mutations >= maxMutations) throw tooManyOperations();
    mutations += 1;
    try {
      return await runNow();
    } finally {
      mutations -= 1;
    }
  }

  /** Queries wait for room; a mutation never waits behind them, and what it costs is limited where it is sent. */
  async function run(args: ExecutionArgs): Promise<ExecutionResult> {
    const cost = queryCosts.get(args);
    const runNow = async () => explain(args, await execute(args));
    return cost === undefined
      ? limitMutations(runNow)
      : gate.run(cost, () => charactersOf(args.variableValues), runNow);
  }

  /** Says what is wrong with variables in place of graphql-js. */
  function explain<Result extends object>(
    args: ExecutionArgs,
    result: Result | ExecutionResult,
  ): Result | ExecutionResult {
    if (!('errors' in result) || !isOfVariables(result)) return result;
    const operation = getOperationAST(args.document, args.operationName);
    if (!operation) return result;
    const errors = variableErrors({ schema, operation, values: args.variableValues ?? {}, suggestions });
    return errors.length > 0 ? { errors } : result;
  }

  return {
    schema,
    check: createDocumentCache(options),
    prepare,
    execute: (args) => contain(() => run(args)),
    subscribe: (args) => contain(async () => explain(args, await subscribeByTurns(args))),
  };
}

/** Mutations that run at once, of all connections: those with the idempotency key of another wait for that one. */
export const maxMutations = 5_000;

/** Each message of graphql-js about variables quotes a whole value; `variableErrors` says what is wrong. */
const executionOptions = { maxCoercionErrors: 1 };

function isOfVariables({ data, errors }: ExecutionResult): boolean {
  return data === undefined && errors?.[0]?.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION;
}

function unknownOperation(name: string | null | undefined): GraphQLError {
  const message =
    name != null
      ? `Unknown operation named "${name}".`
      : 'Must provide operation name if query contains multiple operations.';
  return new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } });
}

/** graphql-js throws what is no fault of the request. */
async function contain<T>(run: () => Promise<T>): Promise<T | ExecutionResult> {
  try {
    return await run();
  } catch (error) {
    const originalError = error instanceof Error ? error : new Error(String(error));
    return { errors: [new GraphQLError(originalError.message, { originalError })] };
  }
}
