import { businessOf, requireScope } from '../access.ts';
import type { Caller, Scope } from '../caller.ts';
import type { Messaging } from '../messaging.ts';

/** What all operations share. */
export interface SharedContext {
  readonly messaging: Messaging;
  /** Every business there is at present. */
  readonly businesses: () => readonly string[];
}

/** What every operation is given, on HTTP and on the socket alike. */
export interface GatewayContext extends SharedContext {
  readonly caller: Caller;
  /** The client's, as limits count it. */
  readonly address: () => string;
  /**
   * The caller's W3C `traceparent` header, where there was one: nothing of it is checked yet. Where traces are kept, the
   * operation's own span takes its place.
   */
  traceparent: unknown;
}

/** Whom what is counted by caller counts for. No two kinds of names are alike. */
export function countedFor({ caller, address }: GatewayContext): string {
  return caller.id ?? `address ${address()}`;
}

/**
 * The business that an operation is about, once its caller may do it.
 *
 * @param wanted as the caller named it in the argument `business`, or at `path`.
 * @throws GatewayError FORBIDDEN or BAD_USER_INPUT.
 */
export function actFor(
  { caller, businesses }: GatewayContext,
  scope: Scope,
  wanted: string | null | undefined,
  path: readonly string[] = ['business'],
): string {
  requireScope(caller, scope);
  return businessOf(caller, businesses(), wanted, path);
}
