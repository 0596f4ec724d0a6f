import { GatewayError } from './errors.ts';
import { createRateLimiter } from './rate-limiter.ts';

/** Counts one request of an address, by whatever transport. Undefined: it may go on; otherwise why not. */
export type RequestLimit = (address: string) => GatewayError | undefined;

/** Addresses that have a budget of their own, of about 0.3 KiB each. */
const maxAddresses = 100_000;

/** @param perMinute for each address; null: unlimited. */
export function createRequestLimit(perMinute: number | null): RequestLimit {
  if (perMinute === null) return () => undefined;
  const limiter = createRateLimiter({ perMinute, maxKeys: maxAddresses });
  const message = `One address may make ${perMinute} requests a minute.`;
  return (address) => {
    const retryAfterSeconds = limiter.take(address);
    if (retryAfterSeconds === 0) return undefined;
    return new GatewayError('TOO_MANY_REQUESTS', message, { retryAfterSeconds });
  };
}
