import { hash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { JwtConfig } from '../auth-config.ts';
import { type Caller, type Scope, scopes } from '../caller.ts';
import { Refusal } from './refusal.ts';

/**
 * Who shows a token with these claims, of which nothing is believed before the signature is checked. A token without
 * businesses may act for none, one without scopes may do nothing, and scopes that mean nothing here do no harm.
 *
 * @throws Refusal expired, milliseconds, claims.
 */
export function callerOf(claims: JWTPayload, config: JwtConfig): Caller {
  const granted = new Set(namesIn(claims[config.scopesClaim]));
  return {
    id: idOf(claims),
    businesses: businessesIn(claims[config.businessesClaim]),
    scopes: new Set(scopes.filter((scope) => granted.has(scope))) satisfies Set<Scope>,
    expiresAt: expiryOf(claims),
  };
}

/** A hash, since `sub` may be long, and may be an address of e-mail. */
function idOf({ iss, sub }: JWTPayload): string | null {
  if (typeof sub !== 'string' || sub === '') return null;
  return `token ${hash('sha256', JSON.stringify([iss, sub]), 'base64url')}`;
}

/** In place of names, and by itself: among names it is refused, since a list is meant to name them all. */
export const everyBusiness = '*';

function businessesIn(claim: unknown): ReadonlySet<string> | null {
  if (claim === everyBusiness) return null;
  const names = namesIn(claim);
  if (names.includes(everyBusiness)) throw new Refusal('claims');
  return new Set(names);
}

/** 10^10 seconds are the year 2286, and milliseconds April 1970. */
const maxSeconds = 1e10;

/** The moment itself: a tolerance for clocks that differ would deliver past it. */
function expiryOf({ exp }: JWTPayload): number {
  if (exp === undefined) throw new Refusal('claims');
  if (exp > maxSeconds) throw new Refusal('milliseconds');
  const expiresAt = exp * 1000;
  if (Date.now() >= expiresAt) throw new Refusal('expired');
  return expiresAt;
}

/** Names as an array, or in a string with blanks between (RFC 8693, 4.2). */
function namesIn(claim: unknown): readonly string[] {
  if (claim === undefined || claim === null) return [];
  if (typeof claim === 'string') return claim.split(' ').filter((name) => name !== '');
  if (Array.isArray(claim) && claim.every((name) => typeof name === 'string')) return claim;
  throw new Refusal('claims');
}
