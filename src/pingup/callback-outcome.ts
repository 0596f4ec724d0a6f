/** Every way in which a callback can end, with its HTTP status. A provider that repeats what got no 2xx loses nothing. */
export const statusByOutcome = {
  /** All of it is durable. */
  understood: 200,
  /** Not UTF-8, not JSON, or broken off. */
  notJson: 400,
  /** The network, the token of the business or the signature is not right: which one is not said. Nothing was read. */
  notAuthentic: 401,
  /** Another method than POST; `Allow` names it. */
  otherMethod: 405,
  /** More than 256 KiB. */
  tooLarge: 413,
  /** Another content type than application/json. */
  otherContentType: 415,
  /** The raw body is in quarantine, what was understood of it is recorded, and both are durable. */
  notUnderstood: 422,
  /** The store is down, so nothing is promised; `Retry-After` says when to repeat it. */
  notRecorded: 503,
} as const;

export type CallbackOutcome = keyof typeof statusByOutcome;

/** How many callbacks ended in each way. */
export type CallbackCounts = Record<CallbackOutcome, number>;

export function createCallbackCounts(): CallbackCounts {
  return {
    understood: 0,
    notJson: 0,
    notAuthentic: 0,
    otherMethod: 0,
    tooLarge: 0,
    otherContentType: 0,
    notUnderstood: 0,
    notRecorded: 0,
  };
}
