import { type FastifyError, type FastifyReply, type FastifyRequest, fastify, LogController } from 'fastify';
import type { Logger } from 'pino';

/** Bodies of every kind, in bytes. */
const maxBodyBytes = 256 * 1024;

export interface HttpServerOptions {
  readonly log: Logger;
  /** False once the gateway is shutting down: each answer is then the last on its connection. */
  readonly serving: () => boolean;
}

/**
 * The one HTTP server. Requests are not logged one by one: their addresses can hold the callback token, and each part
 * logs what an operator needs to know.
 */
export function createHttpServer({ log, serving }: HttpServerOptions) {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // Requests are not told apart in the log, and a logger for each would cost as much as reading its callback.
    childLoggerFactory: (logger) => logger,
    bodyLimit: maxBodyBytes,
    forceCloseConnections: 'idle',
    frameworkErrors: refuseAddress,
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    reply.header('x-content-type-options', 'nosniff');
    if (!serving()) reply.header('connection', 'close');
    done();
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'Nothing here. GraphQL is at /graphql.' }),
  );
  return app;
}

/** Fastify's own answer would repeat the address. */
function refuseAddress(_error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply.code(400).send({ error: 'This is no address.' });
}
