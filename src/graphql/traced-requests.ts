import type { ApolloServerPlugin } from '@apollo/server';
import type { GraphQLFormattedError } from 'graphql';
import { readTraceparent } from '../traceparent.ts';
import type { Tracing } from '../tracing.ts';
import type { GatewayContext } from './context.ts';

/**
 * A plugin for Apollo Server: a span for each GraphQL request over HTTP, part of the caller's trace where there is one.
 * It ends as failed with the code of the first error.
 */
export function traceRequests(tracing: Tracing): ApolloServerPlugin<GatewayContext> {
  return {
    async requestDidStart({ contextValue, request }) {
      const method = request.http?.method ?? 'POST';
      const span = tracing.start({
        name: `${method} /graphql`,
        kind: 'server',
        parent: readTraceparent(contextValue.traceparent),
        attributes: { 'http.request.method': method, 'http.route': '/graphql' },
      });
      contextValue.traceparent = span.traceparent;
      return {
        async willSendResponse({ operation, response: { body, http } }) {
          span.set({ 'http.response.status_code': http.status ?? 200 });
          if (operation) span.set({ 'graphql.operation.type': operation.operation });
          span.end(body.kind === 'single' ? codeOf(body.singleResult.errors) : undefined);
        },
      };
    },
  };
}

/** The code of the first of some errors, as callers are told them. */
export function codeOf(errors: readonly GraphQLFormattedError[] | undefined): string | undefined {
  const code = errors?.[0]?.extensions?.['code'];
  return code === undefined ? undefined : String(code);
}
