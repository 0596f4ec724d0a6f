import type { OutgoingText } from '../outgoing-text.ts';

/** Pingup as the flow sees it: one call, with an honest outcome. */
export interface Pingup {
  /**
   * Asks Pingup to send a text, at most once: a request that may have left is never repeated.
   *
   * @returns Pingup's id of the message.
   * @throws GatewayError PINGUP_UNAVAILABLE, PINGUP_RATE_LIMITED, PINGUP_REJECTED or SEND_OUTCOME_UNKNOWN. Where the
   *   business has just gone, PINGUP_UNAVAILABLE: nothing was sent.
   */
  sendText(text: OutgoingText, context: SendContext): Promise<string>;

  /** How Pingup has been doing, for each business there is, as far as its sends tell. */
  health(): Readonly<Record<string, PingupHealth>>;

  /** Closes the pooled connections. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a send belongs to, besides what it says. */
export interface SendContext {
  /** The business that sends: one that there is. */
  readonly business: string;
  /** The trace, as the value of a W3C `traceparent` header. */
  readonly traceparent: string;
}

export interface PingupHealth {
  /** Refused: Pingup has answered 401 or 403, and has taken no text since. */
  readonly credentials: 'ok' | 'refused';
  /** Open: Pingup is down, and sends are turned away. Half-open: one send tries whether it is back. */
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Sends that wait for their turn. */
  readonly queued: number;
  /** Sends that are under way. */
  readonly running: number;
}
