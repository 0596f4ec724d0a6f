import { createPublicKey, createSecretKey, type KeyObject, type webcrypto } from 'node:crypto';

/**
 * The algorithms that a token may be signed with (RFC 7518, RFC 8037, RFC 9864), each with the keys it takes. `none` is
 * not among them, and never will be.
 */
const keysByAlgorithm = {
  RS256: isRsa,
  RS384: isRsa,
  RS512: isRsa,
  PS256: isRsa,
  PS384: isRsa,
  PS512: isRsa,
  ES256: isOnCurve('prime256v1'),
  ES384: isOnCurve('secp384r1'),
  ES512: isOnCurve('secp521r1'),
  EdDSA: isEd25519,
  Ed25519: isEd25519,
  HS256: isSecretOf(32),
  HS384: isSecretOf(48),
  HS512: isSecretOf(64),
} as const;

export type JwtAlgorithm = keyof typeof keysByAlgorithm;

export function isJwtAlgorithm(name: string): name is JwtAlgorithm {
  return Object.hasOwn(keysByAlgorithm, name);
}

export const jwtAlgorithms = Object.keys(keysByAlgorithm).filter(isJwtAlgorithm);

/** Whether its key is a secret that both sides know, and so must never be a public one. */
export function takesSecret(algorithm: JwtAlgorithm): boolean {
  return algorithm.startsWith('HS');
}

/** The algorithms that a key is for, the usual one first. None: the key is too weak, or of a kind that is not taken. */
export function algorithmsFor(key: KeyObject): readonly JwtAlgorithm[] {
  return jwtAlgorithms.filter((algorithm) => keysByAlgorithm[algorithm](key));
}

/**
 * A public key as PEM (its line breaks may be written `\n`) or as a JSON Web Key. A private key is none: it belongs where
 * tokens are made.
 */
export function parsePublicKey(text: string): KeyObject | undefined {
  try {
    const trimmed = text.trim();
    return trimmed.startsWith('{') ? fromJwk(JSON.parse(trimmed)) : fromPem(trimmed.replaceAll('\\n', '\n'));
  } catch {
    return undefined;
  }
}

/** What is meant to be a key of another kind, and is not taken, is no secret. */
export function parseSecretKey(text: string): KeyObject | undefined {
  return /^\s*(-----BEGIN|\{)/.test(text) ? undefined : createSecretKey(text, 'utf8');
}

function fromJwk(key: webcrypto.JsonWebKey): KeyObject | undefined {
  return key.kty === 'oct' || key.d !== undefined ? undefined : createPublicKey({ key, format: 'jwk' });
}

/** Node would make the public key of a private one. */
function fromPem(pem: string): KeyObject | undefined {
  return /^-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem) ? createPublicKey(pem) : undefined;
}

const minRsaBits = 2048;

function isRsa({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= minRsaBits;
}

function isOnCurve(curve: string) {
  return ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject) =>
    asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === curve;
}

function isEd25519({ asymmetricKeyType }: KeyObject): boolean {
  return asymmetricKeyType === 'ed25519';
}

/** As long as the hash, at least (RFC 7518, 3.2). */
function isSecretOf(bytes: number) {
  return ({ type, symmetricKeySize }: KeyObject) => type === 'secret' && (symmetricKeySize ?? 0) >= bytes;
}
