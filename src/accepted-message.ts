import type { Message, MessageKey } from './message.ts';
import { delayInSeconds, type KeptText } from './outgoing-text.ts';

/**
 * A message as it is the moment Pingup has accepted it.
 *
 * @param now in milliseconds since the epoch.
 */
export function acceptedMessage(key: MessageKey, text: KeptText, now: number): Message {
  const delaySeconds = text.delay === null ? undefined : delayInSeconds(text.delay);
  const scheduledFor = delaySeconds === undefined ? null : now + delaySeconds * 1000;
  return {
    ...key,
    details: { ...text, scheduledFor, acceptedAt: now },
    history: [{ status: 'ACCEPTED', at: now, receivedAt: now, rawStatus: null, failure: null }],
  };
}
