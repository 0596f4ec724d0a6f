import type { Caller, Scope } from './caller.ts';
import { badUserInput, GatewayError } from './errors.ts';

/** @throws GatewayError FORBIDDEN where the caller lacks the scope. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.has(scope)) return;
  throw new GatewayError('FORBIDDEN', `This takes the scope ${scope}, which the caller does not have.`);
}

/**
 * The business that a caller acts for: the one they name, or, where they may act for one only, that one.
 *
 * @param known every business there is.
 * @param wanted as the caller named it, in the argument at `path`.
 * @throws GatewayError FORBIDDEN, the same for a business of somebody else and for one that does not exist, or
 *   BAD_USER_INPUT where they may act for several and name none.
 */
export function businessOf(
  caller: Caller,
  known: readonly string[],
  wanted: string | null | undefined,
  path: readonly string[],
): string {
  const own = known.filter((business) => caller.businesses?.has(business) ?? true);
  if (wanted != null) {
    if (own.includes(wanted)) return wanted;
    throw new GatewayError('FORBIDDEN', `The caller may not act for the business ${JSON.stringify(wanted)}.`);
  }
  const [only, ...others] = own;
  if (only === undefined) throw new GatewayError('FORBIDDEN', 'The caller may act for no business here.');
  if (others.length === 0) return only;
  throw badUserInput([
    { path, expected: `one of the businesses that the caller may act for: ${own.join(', ')}` },
  ]);
}
