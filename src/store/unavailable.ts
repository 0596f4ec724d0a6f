import { GatewayError } from '../errors.ts';

export function unavailable(cause: unknown): GatewayError {
  return new GatewayError('STORE_UNAVAILABLE', 'The store cannot serve at present.', { cause });
}
