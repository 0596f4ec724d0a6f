/**
 * The closed set of errors that a caller of the gateway can meet, each with whether a repeat is safe and may help.
 * A repeat of a code that is not retryable gives the same answer again, or (SEND_OUTCOME_UNKNOWN, without an idempotency
 * key) a second message.
 */
export const retryableByCode = {
  /** The input breaks a rule. `faults` says which, where, and what was expected. */
  BAD_USER_INPUT: false,
  /** No token or key was shown, or it is not valid, or not any more. */
  UNAUTHENTICATED: false,
  /** The keys that tokens are checked with cannot be had at present. `retryAfterSeconds` says when they may be. */
  AUTHENTICATION_UNAVAILABLE: true,
  /** The caller may not do this, or not for this business, whether or not there is one of that name. */
  FORBIDDEN: false,
  /** There is no such message, send or callback, or it belongs to another business. */
  NOT_FOUND: false,
  /**
   * Pingup could not be reached, or is down or has too many sends waiting for it, so that this one was turned away at
   * once; `retryAfterSeconds` then says when to come back. Nothing left the house.
   */
  PINGUP_UNAVAILABLE: true,
  /**
   * Pingup answered 429 to this send, or to an earlier one and its pause is not over. Nothing was sent;
   * `retryAfterSeconds` says when to come back, where Pingup said so.
   */
  PINGUP_RATE_LIMITED: true,
  /** Pingup refused the message, and will refuse it again. */
  PINGUP_REJECTED: false,
  /** The request may have left, and no usable answer came back: the message may or may not be on its way. */
  SEND_OUTCOME_UNKNOWN: false,
  /** The idempotency key was used before, with other arguments. Nothing was sent. */
  IDEMPOTENCY_KEY_REUSED: false,
  /** The first send with this idempotency key is still under way, and this one was none. The same key asks again. */
  SEND_IN_PROGRESS: true,
  /** The store cannot write at present. Nothing was sent. */
  STORE_UNAVAILABLE: true,
  /** This socket, or all of them together, have as many operations under way as there is room for. Nothing was begun. */
  TOO_MANY_OPERATIONS: true,
  /**
   * This address has made as many requests as it may, or this caller has sent as many texts. Nothing was begun;
   * `retryAfterSeconds` says when it may.
   */
  TOO_MANY_REQUESTS: true,
  /** This gateway is about to end, and takes no more sends. Nothing was begun; another one, or the next, will. */
  SHUTTING_DOWN: true,
} as const;

export type GatewayErrorCode = keyof typeof retryableByCode;

/** One broken rule of the input. */
export interface InputFault {
  /** Where it is, from the field's argument or the variable on: `['input', 'clientPhone']`. */
  readonly path: readonly string[];
  /** What would have been right: `7 to 15 digits`. */
  readonly expected: string;
}

export interface GatewayErrorDetails {
  readonly cause?: unknown;
  /** With BAD_USER_INPUT: one entry for each fault. */
  readonly faults?: readonly InputFault[];
  /**
   * With PINGUP_RATE_LIMITED, PINGUP_UNAVAILABLE, TOO_MANY_REQUESTS and AUTHENTICATION_UNAVAILABLE: seconds to wait,
   * where known; at least 1 unless Pingup said 0.
   */
  readonly retryAfterSeconds?: number;
}

/** An outcome with a code that callers may rely on. Its message is written for them: it holds no secret. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: GatewayErrorCode;
  readonly faults: readonly InputFault[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: GatewayErrorCode, message: string, details: GatewayErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.faults = details.faults;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }

  /** Whether the same call, made again, is safe and may succeed. */
  get retryable(): boolean {
    return retryableByCode[this.code];
  }
}

/** BAD_USER_INPUT, with a message that reads well where only the message is shown. */
export function badUserInput(faults: readonly InputFault[]): GatewayError {
  const sentences = faults.map((fault) => `${fault.path.join('.')}: expected ${fault.expected}`);
  return new GatewayError('BAD_USER_INPUT', sentences.join('; '), { faults });
}
