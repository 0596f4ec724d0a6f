import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createMinuteLog } from '../log-once-a-minute.ts';
import type { RequestLimit } from '../request-limit.ts';

export interface FrontDoorOptions {
  /** Origins of the pages that may call from another site; `*`: any. */
  readonly allowedOrigins: readonly string[];
  /** Whether the page that makes a request may read its answer. */
  readonly allowsOrigin: (request: IncomingMessage) => boolean;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly limitRequests: RequestLimit;
  readonly log: Pick<Logger, 'warn'>;
}

/** How long a browser may keep the answer to a preflight, in seconds. */
const preflightSeconds = 600;

/**
 * What stands before the routes of `scope`: CORS, which lets the listed pages read answers (others are logged once a
 * minute), and a limit for each address, over which a request is TOO_MANY_REQUESTS with `Retry-After`.
 */
export async function guardFrontDoor(scope: FastifyInstance, options: FrontDoorOptions): Promise<void> {
  const { allowedOrigins, addressOf, limitRequests } = options;
  logOtherOrigins(scope, options);
  await scope.register(cors, {
    origin: [...allowedOrigins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['retry-after'],
    maxAge: preflightSeconds,
  });
  scope.addHook('onRequest', (request, _reply, done) => done(limitRequests(addressOf(request.raw))));
}

function logOtherOrigins(scope: FastifyInstance, { allowsOrigin, log }: FrontDoorOptions): void {
  const logOnce = createMinuteLog(log);
  const message =
    'a page of another site was refused: if it may call, add its origin to ALLOWED_ORIGINS, or set PUBLIC_URL if it is the gateway’s own';
  scope.addHook('onRequest', ({ raw }, _reply, done) => {
    const origin = raw.headers.origin?.slice(0, maxLoggedCharacters);
    if (!allowsOrigin(raw)) logOnce('origin', { origin }, message);
    done();
  });
}

/** Of a header that the log quotes. */
const maxLoggedCharacters = 256;
