import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import { normalizeIP } from '@fastify/rate-limit';

/**
 * The address that a request counts for: the connection's, or, where that is a trusted proxy's, the one that the
 * proxy names in X-Forwarded-For. IPv6 addresses of one /64 network are one.
 */
export function createAddressOf(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trust = proxyAddr.compile([...trustedProxies]);
  return (request) => normalizeIP(proxyAddr(request, trust) ?? '');
}
