/** Every reason for which a caller is turned away, with what they are told. No sentence repeats what was shown. */
export const sentenceByReason = {
  /** Nothing was shown. */
  missing: 'This takes a bearer token or an API key.',
  /** Not `Bearer` and a token, or a token that is neither an API key of ours nor a whole JWT. */
  malformed: 'What was shown is no bearer token.',
  /** Longer than any token that is looked at. */
  tooLong: 'The token is too long.',
  /** No API key of ours, where no tokens are taken. */
  unknownKey: 'The API key is not known.',
  /** Signed by an algorithm that is not among those pinned, `none` included. */
  algorithm: 'The token is signed by an algorithm that is not accepted.',
  /** The issuer shows no key with the token's `kid`, or more than one that might be meant. */
  unknownSigner: 'The token is signed with a key that is not known.',
  /** Nobody who has the key signed this. */
  signature: 'The signature of the token is not valid.',
  issuer: 'The token is from another issuer.',
  audience: 'The token is meant for another audience.',
  expired: 'The token has expired.',
  /** Its `exp` is so late that it must be in milliseconds, and would all but never expire. */
  milliseconds: 'The token expires after the year 2286: its exp is in milliseconds, not in seconds.',
  /** Its `nbf` is in the future. */
  notYetValid: 'The token is not valid yet.',
  /** One that is required is not there, or is not what such a claim can be. */
  claims: 'A claim of the token is missing, or is not what it should be.',
  /** The token may be good: the keys to check it with cannot be had. */
  keysUnavailable: 'The keys that tokens are checked with cannot be had at present.',
} as const;

export type RefusalReason = keyof typeof sentenceByReason;

/** A caller is turned away. Its message is written for them. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: RefusalReason;
  /** With keysUnavailable: when it is worth another try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: RefusalReason, retryAfterSeconds?: number) {
    super(sentenceByReason[reason]);
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** How many callers were turned away for each reason. */
export type RefusalCounts = Record<RefusalReason, number>;

export function createRefusalCounts(): RefusalCounts {
  return {
    missing: 0,
    malformed: 0,
    tooLong: 0,
    unknownKey: 0,
    algorithm: 0,
    unknownSigner: 0,
    signature: 0,
    issuer: 0,
    audience: 0,
    expired: 0,
    milliseconds: 0,
    notYetValid: 0,
    claims: 0,
    keysUnavailable: 0,
  };
}
