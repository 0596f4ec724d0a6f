import { randomBytes } from 'node:crypto';

/**
 * A message id as in Pingup's samples: digits only. It is too long for a JavaScript number, as ids may be, and of 96
 * random bits, so that no two are the same, across restarts and between sandboxes too.
 */
export function newMessageId(): string {
  return BigInt(`0x${randomBytes(12).toString('hex')}`).toString();
}
