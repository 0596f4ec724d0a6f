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
import { limitHeader } from './header-limits.ts';

/** For a whole request to arrive, in ms. */
const requestTimeoutMs = 30_000;
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
}

/**
 * The one HTTP server. Requests are not logged one by one: their addresses can hold the callback token, and each part
 * logs what an operator needs to know.
 */
export function createHttpServer({ log, serving, trustedProxies = [] }: HttpServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    trustProxy: [...trustedProxies],
    forceCloseConnections: 'idle',
    requestTimeout: requestTimeoutMs,
    http: { shouldUpgradeCallback: offersWebsocket },
    // Requests are not told apart in the log, and a logger for each would cost as much as reading its callback.
    childLoggerFactory: (logger) => logger,
    frameworkErrors: refuseAddress,
  });
  app.addHook('onRequest', (_request, reply, next) => {
    reply.headers(securityHeaders);
    next();
  });
  app.addHook('preParsing', limitHeader('content-type', 415));
  app.addHook('onSend', async (_request, reply) => {
    if (!serving()) reply.header('connection', 'close');
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'Nothing here. GraphQL is at /graphql.' }),
  );
  return app;
}

/** Some clients offer another protocol (h2c) with an ordinary request, which is to be answered as one. */
function offersWebsocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** Fastify's own answer would repeat the address. */
function refuseAddress(_error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply.code(400).send({ error: 'This is no address.' });
}
