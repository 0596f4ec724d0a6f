/** What a caller may be allowed to do. A test holds the README to these. */
export const scopes = ['messages:send', 'messages:read', 'operations'] as const;

export type Scope = (typeof scopes)[number];

/** Who calls, as far as the gateway cares: for whom they may act, what they may do, and until when. */
export interface Caller {
  /** Null: every business there is. */
  readonly businesses: ReadonlySet<string> | null;
  readonly scopes: ReadonlySet<Scope>;
  /** In milliseconds since the epoch; null: never. Nothing is answered or pushed from then on. */
  readonly expiresAt: number | null;
}

/** Whoever calls where nobody is asked who they are. */
export const anyone: Caller = { businesses: null, scopes: new Set(scopes), expiresAt: null };
