import { GatewayError } from './errors.ts';

/**
 * A business has reached STORE_CALLBACK_ONLY_MESSAGES, and none of these messages is old enough to make room for a new one. Only the new ones were refused, and the store itself serves.
 */
export class CallbackRoomError extends GatewayError {
  constructor(business: string) {
    super(
      'STORE_UNAVAILABLE',
      `The business ${JSON.stringify(business)} has no room for more messages known only from callbacks.`,
    );
  }
}
