import { GatewayError } from './errors.ts';

/**
 * A business has as many messages that are known from callbacks alone as it may have, and none is old enough to make
 * room for a new one. Only the new ones were refused, and the store itself serves.
 */
export class CallbackRoomError extends GatewayError {
  constructor(business: string) {
    super(
      'STORE_UNAVAILABLE',
      `There is no room for more messages of ${JSON.stringify(business)} that only callbacks have told of.`,
    );
  }
}
