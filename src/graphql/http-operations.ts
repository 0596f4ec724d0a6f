import { type ApolloServerPlugin, type GraphQLRequestContext, HeaderMap } from '@apollo/server';
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

interface OperationResult {
  readonly data?: FormattedExecutionResult['data'] | undefined;
  readonly errors?: readonly GraphQLError[] | undefined;
}

const noDocument: DocumentNode = { kind: Kind.DOCUMENT, definitions: [] };

/** What could not run at all is no 200: proxies and monitors are to see it as a failure. */
function statusOf({ data, errors }: FormattedExecutionResult): number {
  if (data !== undefined) return 200;
  return errors?.some(({ extensions }) => extensions?.['code'] === 'INTERNAL_SERVER_ERROR') ? 500 : 400;
}
