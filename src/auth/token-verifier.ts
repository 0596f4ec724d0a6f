import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { JwtConfig } from '../auth-config.ts';
import type { Caller } from '../caller.ts';
import { Refusal, type RefusalReason } from './refusal.ts';
import { createRemoteKeys, type RemoteKeysOptions } from './remote-keys.ts';
import { callerOf } from './token-claims.ts';

export interface TokenVerifier extends Disposable {
  /**
   * Who shows a token.
   *
   * @throws Refusal for whatever is wrong with it, or keysUnavailable where it cannot be told.
   */
  verify(token: string): Promise<Caller>;
  /** Whether the keys to check tokens with are there, or have been: false until the issuer has shown them once. */
  readonly ready: boolean;
}

/** How far the issuer's clock may be ahead of ours before `nbf` counts as the future, in seconds. `exp` is exact. */
export const clockToleranceSeconds = 5;

/** JSON Web Tokens (RFC 7519, RFC 8725), checked by what `config` pins. */
export function createTokenVerifier(config: JwtConfig, options: RemoteKeysOptions): TokenVerifier {
  using parts = new DisposableStack();
  const { keys } = config;
  const source =
    keys instanceof URL ? parts.use(createRemoteKeys(keys, options)) : { find: keys, known: true };
  const pinned = {
    algorithms: [...config.algorithms],
    issuer: config.issuer,
    audience: config.audience,
    requiredClaims: ['exp'],
    clockTolerance: clockToleranceSeconds,
  };

  async function readClaims(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, source.find, pinned)).payload;
    } catch (error) {
      throw refusalFor(error);
    }
  }

  const all = parts.move();
  return {
    async verify(token) {
      if (!isWellWritten(token)) throw new Refusal('malformed');
      return callerOf(await readClaims(token), config);
    },
    get ready() {
      return source.known;
    },
    [Symbol.dispose]: () => all.dispose(),
  };
}

/**
 * Three parts, the last one spelled in the only way there is (RFC 4648, 3.5): base64url has bits to spare, in which one
 * and the same token could be written in several ways.
 */
function isWellWritten(token: string): boolean {
  const signature = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(token)?.[1];
  return signature !== undefined && Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

const reasonByCode: Readonly<Record<string, RefusalReason>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'unknownSigner',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'unknownSigner',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWT_EXPIRED: 'expired',
  ERR_JWS_INVALID: 'malformed',
  ERR_JWT_INVALID: 'malformed',
};

const reasonByClaim: Readonly<Record<string, RefusalReason>> = {
  iss: 'issuer',
  aud: 'audience',
  nbf: 'notYetValid',
};

/** Whatever else is thrown is about a key that does not fit, such as one that is too short: no signature is valid then. */
function refusalFor(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof errors.JWTClaimValidationFailed)
    return new Refusal((error.reason === 'check_failed' && reasonByClaim[error.claim]) || 'claims');
  const reason = error instanceof errors.JOSEError ? reasonByCode[error.code] : undefined;
  return new Refusal(reason ?? 'signature');
}
