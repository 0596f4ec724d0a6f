import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { cutText } from '../cut-text.ts';
import { createMinuteLog } from '../log-once-a-minute.ts';
import { isLoopback } from '../loopback.ts';

/** Whether a request names a host under which it may be answered. */
export type HostCheck = (request: IncomingMessage) => boolean;

/**
 * Against DNS rebinding: a page of another site can point its own name at this machine, and is then of the same origin
 * as the gateway, but its requests keep that name as their Host. Allowed are the names of this machine and `names`
 * (null: any); a request with no Host, or with several, is not. What is not allowed is logged once a minute.
 */
export function createHostCheck(names: readonly string[] | null, log: Pick<Logger, 'warn'>): HostCheck {
  if (names === null) return () => true;
  const allowed = new Set(names.map(normalize));
  const logOnce = createMinuteLog(log);
  return ({ headersDistinct: { host: hosts = [] } }) => {
    const name = hosts.length === 1 ? nameOf(hosts[0] ?? '') : undefined;
    if (name !== undefined && (isOfThisMachine(name) || allowed.has(name))) return true;
    logOnce('host', { host: cutText(hosts.join(', ')) }, hostRefusal);
    return false;
  };
}

/** Answered and logged. It does not repeat the Host. */
const hostRefusal =
  'Without authentication this gateway answers only to localhost and to the host of PUBLIC_URL. Set PUBLIC_URL to the address under which it is to be reached.';

/** A Fastify hook for `scope`: 403 for a Host that is not allowed. */
export function guardHost(scope: FastifyInstance, isAllowed: HostCheck): void {
  scope.addHook('onRequest', (request, reply, done) => {
    if (isAllowed(request.raw)) return done();
    reply.code(403).send({
      errors: [{ message: hostRefusal, extensions: { code: 'FORBIDDEN', retryable: false } }],
    });
  });
}

/** The name in a Host header (RFC 9110, 7.2) without its port, in the one spelling that URLs have; undefined: it is none. */
function nameOf(host: string): string | undefined {
  if (!/^[^\s/?#@\\,]+$/.test(host)) return undefined;
  const name = URL.parse(`http://${host}`)?.hostname;
  return name && normalize(name);
}

/** The root's dot makes no other name. */
function normalize(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Names under `localhost` are this machine's for every resolver (RFC 6761, 6.3), so nobody can point them elsewhere. */
function isOfThisMachine(name: string): boolean {
  return isLoopback(name) || name.endsWith('.localhost');
}
