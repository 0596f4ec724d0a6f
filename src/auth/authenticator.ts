import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AuthConfig } from '../auth-config.ts';
import { type Authenticate, type Caller, hasExpired } from '../caller.ts';
import { GatewayError } from '../errors.ts';
import { openApiKeys } from './api-keys.ts';
import { readBearer } from './bearer.ts';
import { createRefusalCounts, Refusal, type RefusalCounts } from './refusal.ts';
import type { RemoteKeysOptions } from './remote-keys.ts';
import { createTokenVerifier } from './token-verifier.ts';

/** Knows who calls, by JSON Web Tokens and by API keys. */
export interface Authenticator extends Disposable {
  readonly authenticate: Authenticate;
  /** Callers who were turned away, by reason, since the start. */
  readonly refusals: RefusalCounts;
  /** False while tokens are accepted and the keys to check them with could never be fetched. */
  readonly ready: boolean;
  /**
   * Reads the API keys anew.
   *
   * @throws ConfigError with all that is wrong with them; then nothing has changed.
   */
  reload(): Promise<void>;
}

export interface AuthenticatorOptions extends RemoteKeysOptions {
  /** How long a token that was found valid is believed without another look, in ms; 0: not at all. */
  readonly rememberMs?: number;
}

/** Tokens that are remembered. About 0.5 KiB each. */
const maxRemembered = 10_000;

/** @throws ConfigError with all that is wrong with the file of the API keys. */
export async function openAuthenticator(
  config: AuthConfig,
  options: AuthenticatorOptions,
): Promise<Authenticator> {
  const { log, rememberMs = 60_000 } = options;
  const apiKeys = config.apiKeysPath === null ? null : await openApiKeys(config.apiKeysPath);
  const tokens = config.jwt && createTokenVerifier(config.jwt, options);
  const remembered = new LRUCache<string, Caller>({ max: maxRemembered });
  const refusals = createRefusalCounts();

  function authenticate(authorization: unknown): Caller | Promise<Caller> {
    try {
      const token = readBearer(authorization);
      const sha256 = hash('sha256', token);
      const known = apiKeys?.find(sha256) ?? remembered.get(sha256);
      return known && !hasExpired(known) ? known : look(token, sha256).catch(refuse);
    } catch (error) {
      return refuse(error);
    }
  }

  async function look(token: string, sha256: string): Promise<Caller> {
    if (!tokens) throw new Refusal('unknownKey');
    const caller = await tokens.verify(token);
    const ttl = Math.min(rememberMs, (caller.expiresAt ?? 0) - Date.now());
    if (ttl >= 1) remembered.set(sha256, caller, { ttl });
    return caller;
  }

  async function refuse(error: unknown): Promise<never> {
    if (!(error instanceof Refusal)) throw error;
    const { reason, message, retryAfterSeconds } = error;
    refusals[reason] += 1;
    log.debug({ reason }, 'a caller was turned away');
    const code = reason === 'keysUnavailable' ? 'AUTHENTICATION_UNAVAILABLE' : 'UNAUTHENTICATED';
    throw new GatewayError(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
  }

  return {
    authenticate,
    refusals,
    get ready() {
      return tokens?.ready ?? true;
    },
    reload: async () => apiKeys?.reload(),
    [Symbol.dispose]: () => tokens?.[Symbol.dispose](),
  };
}
