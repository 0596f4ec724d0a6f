import {
  type ApolloServerPlugin,
  type GraphQLRequest,
  type GraphQLRequestContext,
  HeaderMap,
} from '@apollo/server';
import { type DocumentNode, type FormattedExecutionResult, type GraphQLError, Kind } from 'graphql';
import type { GatewayContext } from './context.ts';
import { type DescribeError, describeErrors } from './describe-error.ts';
import type { CheckedDocument } from './document-cache.ts';
import type { OperationRunner } from './operation-runner.ts';

/**
 * A plugin for Apollo Server by which it neither parses, validates nor executes: it speaks HTTP, and the same runner as
 * on the sockets does the rest. A document that is there when the source is known is one that Apollo does not look for;
 * its own rules cannot be replaced otherwise, and its store counts no comments.
 */
export function runOperations(
  runner: OperationRunner,
  describeError: DescribeError,
): ApolloServerPlugin<GatewayContext> {
  async function run(
    checked: CheckedDocument,
    { request, contextValue }: GraphQLRequestContext<GatewayContext>,
  ): Promise<FormattedExecutionResult> {
    const { args, errors } = runner.prepare(checked, request, contextValue);
    forget(request);
    return describeResult(args ? await runner.execute(args) : { errors });
  }

  function describeResult({ data, errors }: OperationResult): FormattedExecutionResult {
    return {
      ...(data !== undefined && { data }),
      ...(errors && { errors: describeErrors(errors, describeError) }),
    };
  }

  return {
    async requestDidStart() {
      let checked: CheckedDocument = { errors: [] };
      return {
        async didResolveSource(context) {
          checked = runner.check(context.source);
          Object.assign(context, { document: checked.document ?? noDocument });
        },
        async responseForOperation(context) {
          const singleResult = await run(checked, context);
          const http = { status: statusOf(singleResult), headers: new HeaderMap() };
          return { http, body: { kind: 'single', singleResult } };
        },
      };
    },
  };
}

/**
 * Drops what was sent with a request, which it would keep until it is answered: parsed, a body of 256 KiB can take
 * 5 MiB. What the operation needs of it are its variables, which it has by now.
 */
function forget(request: GraphQLRequest): void {
  delete request.variables;
  delete request.extensions;
  const body = request.http?.body;
  if (typeof body === 'object' && body !== null)
    for (const name of Object.keys(body)) Reflect.deleteProperty(body, name);
}

interface OperationResult {
  readonly data?: FormattedExecutionResult['data'] | undefined;
  readonly errors?: readonly GraphQLError[] | undefined;
}

const noDocument: DocumentNode = { kind: Kind.DOCUMENT, definitions: [] };

/** What could not run at all is no 200: proxies and monitors are to see it as a failure. */
function statusOf({ data, errors }: FormattedExecutionResult): number {
  if (data !== undefined) return 200;
  const codes = errors?.map(({ extensions }) => extensions?.['code']) ?? [];
  if (codes.includes('INTERNAL_SERVER_ERROR')) return 500;
  return codes.includes('TOO_MANY_OPERATIONS') ? 503 : 400;
}
