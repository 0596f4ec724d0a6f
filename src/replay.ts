import { GatewayError, type GatewayErrorCode } from './errors.ts';
import type { Message } from './message.ts';
import type { Repeat } from './send.ts';

/**
 * What a repeat is answered: the same as the first send with its idempotency key. Nothing is sent for it.
 *
 * @throws GatewayError the code that the first send ended with, SEND_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, or NOT_FOUND
 *   where the message has been deleted.
 */
export function replay(begun: Repeat): Message {
  switch (begun.kind) {
    case 'accepted':
      return begun.message;
    case 'failed':
      throw new GatewayError(begun.code, sentences[begun.code] ?? 'The first send with this key failed.');
    case 'running':
      throw new GatewayError(
        'SEND_IN_PROGRESS',
        'The first send with this idempotencyKey is still under way.',
      );
    case 'reused':
      throw new GatewayError('IDEMPOTENCY_KEY_REUSED', 'This idempotencyKey was used with other arguments.');
  }
}

const sentences: Partial<Record<GatewayErrorCode, string>> = {
  NOT_FOUND: 'The message that was sent with this idempotencyKey has been deleted.',
  PINGUP_REJECTED: 'Pingup refused the message when it was first sent with this idempotencyKey.',
  SEND_OUTCOME_UNKNOWN:
    'The message was sent with this idempotencyKey before: it may or may not be on its way. Nothing was sent again.',
};
