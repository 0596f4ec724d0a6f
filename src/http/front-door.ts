import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { RequestLimit } from '../request-limit.ts';
import type { OriginCheck } from './allowed-origins.ts';

export interface FrontDoorOptions {
  /** Origins of the pages that may call from another site; `*`: any. */
  readonly allowedOrigins: readonly string[];
  readonly allowsOrigin: OriginCheck;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly limitRequests: RequestLimit;
}

/** How long a browser may keep the answer to a preflight, in seconds. */
const preflightSeconds = 600;

/**
 * What stands before the routes of `scope`: CORS, which lets the listed pages read answers, and a limit for each address, over which a request is TOO_MANY_REQUESTS with `Retry-After`.
 */
export async function guardFrontDoor(scope: FastifyInstance, options: FrontDoorOptions): Promise<void> {
  const { allowedOrigins, allowsOrigin, addressOf, limitRequests } = options;
  // It is the browser that keeps the answer from other pages; here they are only logged.
  scope.addHook('onRequest', ({ raw }, _reply, done) => {
    allowsOrigin(raw);
    done();
  });
  await scope.register(cors, {
    origin: [...allowedOrigins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['retry-after'],
    maxAge: preflightSeconds,
  });
  scope.addHook('onRequest', (request, _reply, done) => done(limitRequests(addressOf(request.raw))));
}
