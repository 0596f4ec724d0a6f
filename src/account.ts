/** An account with Pingup: all that is needed to send for one business, and to believe its callbacks. */
export interface Account {
  /** As in Pingup's addresses; it fits `businessPattern`. */
  readonly business: string;
  readonly apiKey: string;
  /** Without the business and without a trailing slash. */
  readonly baseUrl: string;
  readonly limits: AccountLimits;
  readonly callback: CallbackSecrets;
}

export interface AccountLimits {
  /** Sends under way at once. */
  readonly concurrency: number;
  /** Sends that may wait until others are done. */
  readonly maxWaiting: number;
  /** Sends that begin within any second; null: unlimited. */
  readonly sendsPerSecond: number | null;
}

export interface CallbackSecrets {
  /** Who knows one of these is Pingup: one, or two while one takes the other's place. */
  readonly tokens: readonly string[];
  /** With which Pingup signs the body of each callback; null: it signs none. */
  readonly hmacSecret: string | null;
}

/** What the name of a business may be, so that it cannot leave its segment of a path. */
export const businessPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The accounts there are, which may change while the gateway runs. */
export interface Accounts {
  /** In alphabetical order. */
  businesses(): readonly string[];
  find(business: string): Account | undefined;
}
