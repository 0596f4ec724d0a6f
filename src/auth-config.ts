import type { KeyObject } from 'node:crypto';
import type { Variables } from './config-variables.ts';
import {
  algorithmsFor,
  isJwtAlgorithm,
  type JwtAlgorithm,
  parsePublicKey,
  parseSecretKey,
  takesSecret,
} from './jwt-key.ts';
import { isLoopback } from './loopback.ts';

/** What a caller may show, at least one of the two. */
export interface AuthConfig {
  /** Null: no tokens are taken. */
  readonly jwt: JwtConfig | null;
  /** The file of the API keys; null: none are taken. */
  readonly apiKeysPath: string | null;
}

export interface JwtConfig {
  /** Where the issuer shows its keys, or the one key there is. */
  readonly keys: URL | KeyObject;
  /** A token signed with any other is refused. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly issuer: string;
  readonly audience: string;
  readonly businessesClaim: string;
  readonly scopesClaim: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const keySources = ['AUTH_JWKS_URL', 'AUTH_JWT_KEY'] as const;
const sources = [...keySources, 'AUTH_API_KEYS_FILE'] as const;
/** They mean nothing without a key. */
const tokenSettings = [
  'AUTH_JWT_ALGORITHMS',
  'AUTH_JWT_ISSUER',
  'AUTH_JWT_AUDIENCE',
  'AUTH_BUSINESSES_CLAIM',
  'AUTH_SCOPES_CLAIM',
] as const;
const jwksAlgorithms: readonly JwtAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];

/** What is wrong with the variables of who may do what, of those that are set. */
export function authFaults(env: Environment): string[] {
  return [...modeFaults(env), ...tokenFaults(env), ...keyFaults(env)];
}

/** Null: authentication is disabled. */
export function toAuth(env: Variables): AuthConfig | null {
  const jwt = toJwt(env);
  const apiKeysPath = env.AUTH_API_KEYS_FILE ?? null;
  return jwt || apiKeysPath ? { jwt, apiKeysPath } : null;
}

/** What no log may show. */
export function authSecrets(auth: AuthConfig | null): string[] {
  const keys = auth?.jwt?.keys;
  return keys && !(keys instanceof URL) && keys.type === 'secret' ? [String(keys.export())] : [];
}

/** Authentication is configured, unless only this machine reaches a gateway that is under development, or AUTH=none says so. */
function modeFaults(env: Environment): string[] {
  const { AUTH } = env;
  const given = sources.filter((name) => env[name]);
  if (AUTH === 'none')
    return given.map(
      (name) => `${name}: expected to be unset with AUTH=none, which asks nobody who they are`,
    );
  if (given.length > 0) return [];
  if (AUTH !== undefined)
    return [`${sources.join(', ')}: one of them at least is required with AUTH=required`];
  const why = whyRequired(env);
  if (why === undefined) return [];
  return [
    `AUTH: ${why}: expected ${sources.join(', ')} (one of them at least), or AUTH=none to let in whoever reaches it`,
  ];
}

function whyRequired({ HOST = '127.0.0.1', NODE_ENV }: Environment): string | undefined {
  if (!isLoopback(HOST)) return 'HOST is no loopback address';
  return NODE_ENV === 'production' ? 'NODE_ENV is production' : undefined;
}

function tokenFaults(env: Environment): string[] {
  if (keySources.every((name) => env[name]))
    return ['AUTH_JWT_KEY: expected to be unset with AUTH_JWKS_URL, where the keys come from'];
  const source = keySources.find((name) => env[name]);
  const settings = tokenSettings.filter((name) => env[name]);
  if (!source) return settings.map((name) => `${keySources.join(' or ')}: required with ${name}`);
  return (['AUTH_JWT_ISSUER', 'AUTH_JWT_AUDIENCE'] as const)
    .filter((name) => !env[name])
    .map((name) => `${name}: required with ${source}`);
}

function keyFaults(env: Environment): string[] {
  const algorithms = namesIn(env['AUTH_JWT_ALGORITHMS']).filter(isJwtAlgorithm);
  if (env['AUTH_JWKS_URL'] && algorithms.some(takesSecret))
    return [
      'AUTH_JWT_ALGORITHMS: expected none with a secret (HS256, …) with AUTH_JWKS_URL, whose keys are public',
    ];
  const text = env['AUTH_JWT_KEY'];
  if (!text) return [];
  const key = readKey(text, algorithms);
  if (!key) return [`AUTH_JWT_KEY: expected ${keyExpected}`];
  const fitting = algorithmsFor(key);
  if (fitting.length === 0) return [`AUTH_JWT_KEY: expected ${keyExpected}`];
  const others = algorithms.filter((algorithm) => !fitting.includes(algorithm));
  return others.map(
    (algorithm) =>
      `AUTH_JWT_ALGORITHMS: ${algorithm} does not go with AUTH_JWT_KEY, which is for ${fitting.join(', ')}`,
  );
}

const keyExpected =
  'a public key as PEM or JSON Web Key (RSA of 2048 bits, P-256, P-384, P-521 or Ed25519), or, where AUTH_JWT_ALGORITHMS names HS256, HS384 or HS512, a secret of at least 32, 48 or 64 bytes';

/**
 * A secret is believed to be one only where the operator says so: a public key that is pasted without its first line
 * must not become a secret that everybody knows.
 */
function readKey(text: string, algorithms: readonly JwtAlgorithm[]): KeyObject | undefined {
  return parsePublicKey(text) ?? (algorithms.some(takesSecret) ? parseSecretKey(text) : undefined);
}

function toJwt(env: Variables): JwtConfig | null {
  const key = env.AUTH_JWT_KEY && readKey(env.AUTH_JWT_KEY, env.AUTH_JWT_ALGORITHMS);
  const keys = env.AUTH_JWKS_URL ? new URL(env.AUTH_JWKS_URL) : key;
  if (!keys) return null;
  const usual = keys instanceof URL ? jwksAlgorithms : algorithmsFor(keys).slice(0, 1);
  return {
    keys,
    algorithms: env.AUTH_JWT_ALGORITHMS.length > 0 ? env.AUTH_JWT_ALGORITHMS : usual,
    issuer: env.AUTH_JWT_ISSUER ?? '',
    audience: env.AUTH_JWT_AUDIENCE ?? '',
    businessesClaim: env.AUTH_BUSINESSES_CLAIM,
    scopesClaim: env.AUTH_SCOPES_CLAIM,
  };
}

function namesIn(list = ''): string[] {
  return list.split(',').map((name) => name.trim());
}
