import type { OutgoingText } from '../outgoing-text.ts';

/** Pingup as the flow sees it: one call, with an honest outcome. */
export interface Pingup {
  /**
   * Asks Pingup to send a text, at most once: a request that may have left is never repeated.
   *
   * @returns Pingup's id of the message.
   * @throws GatewayError PINGUP_UNAVAILABLE, PINGUP_RATE_LIMITED, PINGUP_REJECTED or SEND_OUTCOME_UNKNOWN.
   */
  sendText(text: OutgoingText): Promise<string>;

  /** Closes the pooled connections. */
  [Symbol.asyncDispose](): Promise<void>;
}
