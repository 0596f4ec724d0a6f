import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { describeError } from './describe-error.ts';
import type { GatewayContext } from './message-resolver.ts';

export interface GraphqlHttpOptions {
  readonly schema: GraphQLSchema;
  readonly context: GatewayContext;
  readonly log: Logger;
  /** Whether a GET is a browser's, which gets the page for people instead of JSON. */
  readonly wantsHtml: (request: FastifyRequest) => boolean;
  readonly sendPage: (reply: FastifyReply) => FastifyReply;
}

/** GraphQL over HTTP on `/graphql`: queries and mutations by Apollo Server, and the page for people. */
export async function graphqlHttp(app: FastifyInstance, options: GraphqlHttpOptions): Promise<void> {
  const { schema, context, log, wantsHtml, sendPage } = options;
  const apollo = new ApolloServer<GatewayContext>({
    schema,
    logger: log,
    introspection: true,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    formatError: (_formatted, error) => describeError(error, log),
    // Cache control wraps every field to find a policy, which costs a tenth of a mutation, and there is none to find.
    plugins: [refuseSubscriptions, ApolloServerPluginCacheControlDisabled()],
  });
  await apollo.start();
  app.addHook('onClose', () => apollo.stop());

  const answer = fastifyApolloHandler(apollo, { context: async () => context });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    done();
  });
  app.setErrorHandler(sendRequestError);
  app.post('/graphql', answer);
  app.get('/graphql', (request, reply) =>
    wantsHtml(request) ? sendPage(reply) : answer.call(app, request, reply),
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

/** A request that never became a GraphQL one (not JSON, too large, another content type), answered as GraphQL does. */
function sendRequestError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = error.statusCode ?? 500;
  if (status >= 500) request.log.error({ err: error }, 'a GraphQL request failed unexpectedly');
  const message = status >= 500 ? 'The gateway failed to answer this.' : error.message;
  const code = status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST';
  return reply.code(status).send({ errors: [{ message, extensions: { code, retryable: false } }] });
}

function refuseMethod(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = 'GraphQL takes POST, or GET for queries.';
  return reply
    .code(405)
    .header('allow', 'GET, POST')
    .send({ errors: [{ message, extensions: { code: 'BAD_REQUEST', retryable: false } }] });
}
