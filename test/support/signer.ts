import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { JwtConfig } from '../../src/auth-config.ts';
import { scopes } from '../../src/caller.ts';
import type { JwtAlgorithm } from '../../src/jwt-key.ts';

export const issuer = 'https://issuer.example';
export const audience = 'pingup-gateway';

/** Claims besides the valid ones, or in their place; undefined: left out. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who signs tokens with a key of their own. */
export interface Signer {
  readonly jwk: JWK;
  readonly pem: string;
  /** A token that is good for ten minutes, for everything that the business acme may do. */
  sign(claims?: Claims): Promise<string>;
}

export async function createSigner(alg: JwtAlgorithm = 'ES256', kid = 'k1'): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    pem: await exportSPKI(publicKey),
    sign: (claims) => new SignJWT(validClaims(claims)).setProtectedHeader({ alg, kid }).sign(privateKey),
  };
}

export function validClaims(claims: Claims = {}): Record<string, unknown> {
  const granted = { businesses: ['acme'], scope: scopes.join(' ') };
  return { iss: issuer, aud: audience, exp: secondsFromNow(600), ...granted, ...claims };
}

export function secondsFromNow(seconds: number): number {
  return Math.trunc(Date.now() / 1000) + seconds;
}

/** For a gateway that takes the tokens of a signer. */
export function authEnv({ pem }: Signer): Record<string, string> {
  return { AUTH_JWT_KEY: pem, AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience };
}

/** For the tokens of `createSigner`. */
export function jwtConfig(
  keys: JwtConfig['keys'],
  algorithms: readonly JwtAlgorithm[] = ['ES256'],
): JwtConfig {
  return { keys, algorithms, issuer, audience, businessesClaim: 'businesses', scopesClaim: 'scope' };
}
