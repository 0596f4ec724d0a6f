import cors from '@fastify/cors';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { GatewayError } from '../errors.ts';

export interface FrontDoorOptions {
  /** Origins of the pages that may call from another site; `*`: any. */
  readonly allowedOrigins: readonly string[];
  /** For each address; null: as many as may be. */
  readonly requestsPerMinute: number | null;
}

/** How long a browser may keep the answer to a preflight, in seconds. */
const preflightSeconds = 600;
const minuteMs = 60_000;

/**
 * What stands before the routes of `scope`: CORS, which lets the listed pages read answers, and a limit for each
 * address, over which a request is TOO_MANY_REQUESTS with `Retry-After`.
 */
export async function guardFrontDoor(scope: FastifyInstance, options: FrontDoorOptions): Promise<void> {
  const { allowedOrigins, requestsPerMinute } = options;
  await scope.register(cors, {
    origin: [...allowedOrigins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['retry-after'],
    maxAge: preflightSeconds,
  });
  if (requestsPerMinute === null) return;
  await scope.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: minuteMs,
    errorResponseBuilder: (_request, { max, ttl }) => tooManyRequests(max, ttl),
  });
}

function tooManyRequests(max: number, waitMs: number): GatewayError {
  const message = `One address may make ${max} requests a minute.`;
  return new GatewayError('TOO_MANY_REQUESTS', message, { retryAfterSeconds: Math.ceil(waitMs / 1000) });
}
