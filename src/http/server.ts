import type { IncomingMessage } from 'node:http';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { ConnectionLimits } from './connection-limits.ts';
import { createGuardedServer, type ServerBounds } from './guarded-server.ts';
import { limitHeader } from './header-limits.ts';

/** Bodies of every kind, in bytes. */
const maxBodyBytes = 256 * 1024;

/**
 * For every answer; GraphiQL's page and files bring a policy of their own. By hand, because these are all that mean
 * something to what is not a page, and callbacks are many.
 */
const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export interface HttpServerOptions {
  readonly log: Logger;
  /** False once the gateway is shutting down: each answer is then the last on its connection. */
  readonly serving: () => boolean;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** Null, or left out: any number of connections. */
  readonly limits?: Omit<ConnectionLimits, 'trustedProxies'> | null;
  readonly bounds?: Partial<ServerBounds>;
}

/** After these a connection is closed: of who may not ask, or asks too much, one request is read and not a pipeline. */
const lastAnswers: ReadonlySet<number> = new Set([401, 413, 429]);

/**
 * The one HTTP server. Requests are not logged one by one: their addresses can hold the callback token, and each part
 * logs what an operator needs to know.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { log, serving, trustedProxies = [], bounds = {} } = options;
  const limits = options.limits ? { ...options.limits, trustedProxies } : null;
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    trustProxy: [...trustedProxies],
    forceCloseConnections: 'idle',
    serverFactory: (handle) => createGuardedServer(handle, { limits, bounds, log }),
    // Requests are not told apart in the log, and a logger for each would cost as much as reading its callback.
    childLoggerFactory: (logger) => logger,
    frameworkErrors: refuseAddress,
  });
  app.addHook('onRequest', (_request, reply, next) => {
    reply.headers(securityHeaders);
    next();
  });
  app.addHook('preParsing', limitHeader('content-type', 415));
  app.addHook('onSend', (request, reply, payload, done) => {
    if (lastAnswers.has(reply.statusCode) || !serving()) closeAfter(request.raw, reply);
    done(null, payload);
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'Nothing here. GraphQL is at /graphql.' }),
  );
  return app;
}

/**
 * Closes the connection once it is answered. A client that still sends its body would be reset, and could lose the
 * answer by it: until the body has come, or its time is over, it is read and thrown away.
 */
function closeAfter(request: IncomingMessage, reply: FastifyReply): void {
  const { socket } = request;
  reply.header('connection', 'close');
  if (request.complete) return;
  const closeNow = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    if (request.complete) return closeNow();
    request.once('close', closeNow);
    socket.end();
  };
}

/** Fastify's own answer would repeat the address. */
function refuseAddress(_error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply.code(400).send({ error: 'This is no address.' });
}

/** Fastify listens on one of the addresses of `localhost` when the server is not its own: clients try 127.0.0.1 in any case. */
export function listenOn(
  app: FastifyInstance,
  { host, port }: { host: string; port: number },
): Promise<string> {
  return app.listen({ host: host.toLowerCase() === 'localhost' ? '127.0.0.1' : host, port });
}
