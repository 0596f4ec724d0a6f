/** What a caller may be allowed to do. A test holds the README to these. */
export const scopes = ['messages:send', 'messages:read', 'operations'] as const;

export type Scope = (typeof scopes)[number];

/** Who calls, as far as the gateway cares: for whom they may act, what they may do, and until when. */
export interface Caller {
  /**
   * Who it is, for what is counted by caller: no secret, short, and the same after another token or a reload. Null: that is
   * not known, and what they do counts for their address.
   */
  readonly id: string | null;
  /** Null: every business there is. */
  readonly businesses: ReadonlySet<string> | null;
  readonly scopes: ReadonlySet<Scope>;
  /**
   * In milliseconds since the epoch; null: never. Nothing is begun or pushed from then on. It may move back to the past,
   * where what the caller showed is withdrawn: ask `hasExpired` each time.
   */
  readonly expiresAt: number | null;
}

/**
 * Finds out who shows this: `Bearer` and a token or key, as the header Authorization holds it. What is known already is
 * answered at once, without a promise.
 *
 * @throws GatewayError UNAUTHENTICATED, AUTHENTICATION_UNAVAILABLE, always by a promise that rejects.
 */
export type Authenticate = (authorization: unknown) => Caller | Promise<Caller>;

/** By the clock of the day, so that one that is set right, or a machine that slept, changes nothing. */
export function hasExpired({ expiresAt }: Caller): boolean {
  return expiresAt !== null && Date.now() >= expiresAt;
}

/** The caller of every request if authentication is disabled. */
export const anyone: Caller = { id: null, businesses: null, scopes: new Set(scopes), expiresAt: null };
