import type { IncomingMessage } from 'node:http';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import type { Authenticate } from '../caller.ts';
import { cutText } from '../cut-text.ts';
import { GatewayError, type GatewayErrorCode } from '../errors.ts';
import type { Tracing } from '../tracing.ts';
import type { GatewayContext, SharedContext } from './context.ts';
import { type DescribeError, logUnexpected, unexpectedMessage } from './describe-error.ts';
import { checkCallers } from './http-caller.ts';
import { runOperations } from './http-operations.ts';
import type { OperationRunner } from './operation-runner.ts';
import { traceRequests } from './traced-requests.ts';

export interface GraphqlHttpOptions {
  readonly runner: OperationRunner;
  readonly context: SharedContext;
  readonly describeError: DescribeError;
  /** Null: authentication is disabled. */
  readonly authenticate: Authenticate | null;
  /** Whom a request counts for: the client's address, which is not the connection's behind a proxy. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly log: Logger;
  /** Null: there are no traces. */
  readonly tracing: Tracing | null;
  /** Null: there is no page for people. */
  readonly page: PageForPeople | null;
}

export interface PageForPeople {
  /** Whether a GET is a browser's, which gets the page instead of JSON. */
  wantsPage(request: FastifyRequest): boolean;
  sendPage(reply: FastifyReply): FastifyReply;
}

/** GraphQL over HTTP on `/graphql`: queries and mutations by Apollo Server, and the page for people. */
export async function graphqlHttp(app: FastifyInstance, options: GraphqlHttpOptions): Promise<void> {
  const { runner, context, describeError, authenticate, addressOf, log, tracing, page } = options;
  const apollo = new ApolloServer<GatewayContext>({
    schema: runner.schema,
    logger: log,
    documentStore: null,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    formatError: (_formatted, error) => describeError(error),
    plugins: [
      ...(tracing ? [traceRequests(tracing)] : []),
      refuseSubscriptions,
      runOperations(runner, describeError),
      keepCauses,
      // Cache control wraps every field to find a policy, which costs a tenth of a mutation, and there is none to find.
      ApolloServerPluginCacheControlDisabled(),
      // Apollo's own page comes from another host.
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await apollo.start();
  app.addHook('onClose', () => apollo.stop());

  const wantsPage = (request: FastifyRequest) => page?.wantsPage(request) ?? false;
  const { hooks, hooksUnless, callerOf } = checkCallers(app, authenticate);
  const answer = fastifyApolloHandler(apollo, {
    context: async (request) => ({
      ...context,
      traceparent: request.headers['traceparent'],
      caller: callerOf(request),
      address: () => addressOf(request.raw),
    }),
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    done();
  });
  app.setErrorHandler(requestErrorHandler(describeError, log));
  app.post('/graphql', hooks, answer);
  // The page itself is for everybody; who asks by it shows who they are.
  app.get('/graphql', hooksUnless(wantsPage), (request, reply) =>
    page && wantsPage(request) ? page.sendPage(reply) : answer.call(app, request, reply),
  );
  app.route({ method: ['PUT', 'PATCH', 'DELETE'], url: '/graphql', handler: refuseMethod });
}

/** HTTP answers once; a subscription would otherwise fail as if the gateway were broken. */
const refuseSubscriptions: ApolloServerPlugin<GatewayContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ operation }) {
        if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return;
        const message = 'Subscriptions are served by WebSocket at this address (graphql-transport-ws).';
        throw new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
      },
    };
  },
};

/** Apollo would put an error without a cause in place of what it did not expect, and so hide it from the log. */
const keepCauses: ApolloServerPlugin<GatewayContext> = {
  async unexpectedErrorProcessingRequest({ error }) {
    throw new Error('a request could not be processed', { cause: error });
  },
};

/** A request that never became a GraphQL one (not JSON, too large, too many), answered as GraphQL does. */
function requestErrorHandler(describeError: DescribeError, log: Logger) {
  return (
    error: FastifyError | GatewayError,
    _request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply => {
    if (error instanceof GatewayError) {
      const refusal = new GraphQLError(error.message, { originalError: error });
      if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds);
      return reply.code(statusByCode[error.code] ?? 400).send({ errors: [describeError(refusal)] });
    }
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send(badRequest(error.message));
    const extensions = logUnexpected(error, log);
    return reply.code(status).send({ errors: [{ message: unexpectedMessage, extensions }] });
  };
}

const statusByCode: Partial<Record<GatewayErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  TOO_MANY_REQUESTS: 429,
  AUTHENTICATION_UNAVAILABLE: 503,
};

function badRequest(message: string) {
  return { errors: [{ message: cutText(message), extensions: { code: 'BAD_REQUEST', retryable: false } }] };
}

function refuseMethod(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(405)
    .header('allow', 'GET, POST')
    .send(badRequest('GraphQL takes POST, or GET for queries.'));
}
