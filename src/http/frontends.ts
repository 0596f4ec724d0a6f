import type { FastifyInstance } from 'fastify';
import type { EdgeConfig } from '../config.ts';
import { createErrorDescriber } from '../graphql/describe-error.ts';
import type { DocumentCacheOptions } from '../graphql/document-cache.ts';
import { documentRules } from '../graphql/document-rules.ts';
import { type GraphqlHttpOptions, graphqlHttp } from '../graphql/http-plugin.ts';
import { createOperationRunner } from '../graphql/operation-runner.ts';
import { createWebsocketProtocol } from '../graphql/websocket-protocol.ts';
import { type GraphqlSockets, serveWebsockets } from '../graphql/websocket-server.ts';
import { createRequestLimit } from '../request-limit.ts';
import { guardHost, type HostCheck } from './allowed-hosts.ts';
import { createOriginCheck } from './allowed-origins.ts';
import { createAddressOf } from './client-address.ts';
import { guardFrontDoor } from './front-door.ts';
import { type GraphiqlPage, wantsHtml } from './graphiql-page.ts';
import { limitHeader } from './header-limits.ts';

export interface FrontendsOptions
  extends Pick<DocumentCacheOptions, 'schema'>,
    Pick<GraphqlHttpOptions, 'context' | 'authenticate' | 'log' | 'tracing'> {
  readonly edge: EdgeConfig;
  readonly allowsHost: HostCheck;
  /** Null: there is none, and a browser is answered as any other client. */
  readonly page: GraphiqlPage | null;
}

/** The frontends' side: GraphQL on `/graphql` by HTTP and by WebSocket, under the same rules. */
export async function serveFrontends(
  app: FastifyInstance,
  { schema, context, authenticate, edge, allowsHost, page, log, tracing }: FrontendsOptions,
): Promise<GraphqlSockets & Disposable> {
  const runner = createOperationRunner({
    schema,
    rules: documentRules(edge),
    suggestions: edge.introspection,
    maxDocumentBytes: edge.maxDocumentBytes,
  });
  const addressOf = createAddressOf(edge.trustedProxies);
  const limitRequests = createRequestLimit(edge.requestsPerMinute);
  const shared = { runner, context, authenticate, describeError: createErrorDescriber(log), tracing };

  const allowsOrigin = createOriginCheck(edge.allowedOrigins, log);
  if (page)
    await app.register(async (scope) => {
      guardHost(scope, allowsHost);
      await scope.register(page.routes);
    });
  await app.register(async (scope) => {
    guardHost(scope, allowsHost);
    await guardFrontDoor(scope, { ...edge, allowsOrigin, addressOf, limitRequests });
    scope.addHook('preParsing', limitHeader('accept', 431));
    await scope.register(graphqlHttp, {
      ...shared,
      addressOf,
      log,
      page: page && { wantsPage: wantsHtml, sendPage: page.sendPage },
    });
  });

  const protocol = createWebsocketProtocol({ ...shared, subscriptionMs: edge.subscriptionMs, limitRequests });
  const sockets = serveWebsockets({
    ...edge,
    server: app.server,
    path: '/graphql',
    protocol,
    log,
    allowsHost,
    allowsOrigin,
    addressOf,
  });
  return Object.assign(sockets, { [Symbol.dispose]: () => protocol[Symbol.dispose]() });
}
