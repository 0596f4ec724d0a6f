import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import { normalizeIP } from '@fastify/rate-limit';
import { LRUCache } from 'lru-cache';

/**
 * The address that a request counts for: the connection's, or, where that is a trusted proxy's, the one that the
 * proxy names in X-Forwarded-For. IPv6 addresses of one /64 network are one.
 */
export function createAddressOf(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trust = proxyAddr.compile([...trustedProxies]);
  return (request) => normalizeIP(proxyAddr(request, trust) ?? '');
}

/**
 * Whether an address is in one of these networks; with none of them, every address is. An IPv4 address that is written
 * as one of IPv6 counts as what it is.
 */
export function createNetworkCheck(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true;
  const contains = proxyAddr.compile([...networks]);
  // The provider's are few, and reading one anew costs more than to remember it.
  const known = new LRUCache<string, boolean>({ max: 1_000, memoMethod: (address) => contains(address, 0) });
  return (address) => known.memo(address);
}
