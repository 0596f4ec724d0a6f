import { type GatewayErrorCode, retryableByCode } from './errors.ts';
import type { Message } from './message.ts';
import type { KeptText } from './outgoing-text.ts';

/** What can become of a send. It is PENDING from before it leaves until it is settled, and UNKNOWN is settled too. */
export const sendOutcomes = ['PENDING', 'ACCEPTED', 'NOT_SENT', 'REJECTED', 'UNKNOWN'] as const;

export type SendOutcome = (typeof sendOutcomes)[number];

/** One try to send a text, as the books have it. Instants are milliseconds since the epoch. */
export interface Send {
  readonly id: string;
  readonly business: string;
  readonly text: KeptText;
  readonly begunAt: number;
  /** Null while it is PENDING. */
  readonly settledAt: number | null;
  readonly outcome: SendOutcome;
  /** Null while it is PENDING, and where it was ACCEPTED. */
  readonly errorCode: GatewayErrorCode | null;
  /**
   * Where it was ACCEPTED, that of its message. Where it is UNKNOWN it may be set too: Pingup answered with the id of
   * another send's message.
   */
  readonly messageId: string | null;
}

/** The handle on a send that was begun: its `id`, which is its business' own. */
export type Attempt = string & { readonly brand: 'Attempt' };

export interface NewSend {
  /** Whose it is: a key belongs to one business. */
  readonly business: string;
  readonly text: KeptText;
  /** Now, in milliseconds since the epoch. */
  readonly at: number;
  /** Null: every call is a send of its own. */
  readonly idempotency: Idempotency | null;
}

export interface Idempotency {
  readonly key: string;
  /** The same for the same arguments, and for no others. */
  readonly fingerprint: string;
  /** A key that was first used before this instant (epoch ms) is free again. */
  readonly validSince: number;
}

/**
 * What came of the wish to begin a send:
 * - `begun`: the send is written down, and may leave;
 * - `accepted`, `failed`: a send with this key and these arguments was made before, and ended so. NOT_FOUND: it was
 *   accepted, and its message has been deleted since;
 * - `running`: it is still PENDING;
 * - `reused`: this key was used with other arguments.
 */
export type Begun =
  | { readonly kind: 'begun'; readonly attempt: Attempt }
  | { readonly kind: 'accepted'; readonly message: Message }
  | { readonly kind: 'failed'; readonly code: GatewayErrorCode }
  | { readonly kind: 'running' }
  | { readonly kind: 'reused' };

/** What a repeat is told of the send that has its key. */
export type Repeat = Exclude<Begun, { readonly kind: 'begun' }>;

/**
 * What became of a send that ended with this code. After NOT_SENT the same send may be made again, also with the same
 * idempotency key; what is neither retryable nor Pingup's refusal counts as UNKNOWN.
 */
export function outcomeOfFailure(code: GatewayErrorCode): Exclude<SendOutcome, 'PENDING' | 'ACCEPTED'> {
  if (retryableByCode[code]) return 'NOT_SENT';
  return code === 'PINGUP_REJECTED' ? 'REJECTED' : 'UNKNOWN';
}
