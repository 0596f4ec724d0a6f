import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';

/**
 * An HTTP server that hands bodies over as text, whatever their type, answers every refusal
 * `{"success": false, "error": "..."}`, and closes at once, with connections that still wait for an answer.
 */
export function createSandboxServer(): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, async (_request: unknown, body: string) => body);

  app.setErrorHandler<FastifyError>((error, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ success: false, error: error.message }),
  );
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ success: false, error: 'no such path' }),
  );
  return app;
}
