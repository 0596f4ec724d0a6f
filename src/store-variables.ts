import { z } from 'zod';
import { parsePostgresUrl, postgresUrlForLog, postgresUrlForm } from './postgres-url.ts';
import {
  type PostgresBackend,
  postgresSecrets,
  postgresVariables,
  toPostgresBackend,
} from './postgres-variables.ts';
import { type RedisRisk, redisRisks } from './redis-risks.ts';
import { parseRedisUrl, redisUrlForms, withoutCredentials } from './redis-url.ts';
import { defaultStoreLimits, type StoreLimits } from './store-limits.ts';
import { wholeNumber } from './whole-number.ts';

/** The variables that say where everything is kept. */
export const storeVariables = {
  STORE_URL: z
    .string()
    .refine(
      (value) =>
        /^sqlite:.+$/.test(value) ||
        parsePostgresUrl(value) !== undefined ||
        parseRedisUrl(value) !== undefined,
      `sqlite:<path of a file>, ${postgresUrlForm}, ${redisUrlForms}`,
    )
    .default('sqlite:data/gateway.db'),
  STORE_VACUUM_HOUR: z
    .string()
    .regex(/^([0-9]|1[0-9]|2[0-3])$/, 'a whole number from 0 to 23')
    .transform(Number)
    .optional(),
  STORE_QUARANTINE_BYTES: wholeNumber(1_048_576, 1_099_511_627_776).default(
    defaultStoreLimits.quarantineBytes,
  ),
  STORE_QUARANTINE_ENTRIES: wholeNumber(1, 100_000_000).default(defaultStoreLimits.quarantineEntries),
  STORE_CALLBACK_ONLY_MESSAGES: wholeNumber(1, 1_000_000_000).default(
    defaultStoreLimits.callbackOnlyMessages,
  ),
  ...postgresVariables,
  REDIS_REPLICAS: z
    .string()
    .regex(/^[0-9]$/, 'a whole number from 0 to 9')
    .transform(Number)
    .default(0),
  REDIS_ACCEPT_RISK: z
    .string()
    .default('')
    .transform((value, context) => {
      const risks = value.split(',').flatMap((item) => item.trim() || []);
      if (risks.every(isRisk)) return risks;
      context.addIssue(`names with commas between, each one of ${redisRisks.join(', ')}`);
      return z.NEVER;
    }),
};

function isRisk(name: string): name is RedisRisk {
  return redisRisks.some((risk) => risk === name);
}

type StoreVariables = z.output<z.ZodObject<typeof storeVariables>>;

/** Where everything is kept. */
export type StoreBackend =
  | { readonly kind: 'sqlite'; readonly path: string }
  | PostgresBackend
  | {
      readonly kind: 'redis';
      /** One of `redisUrlForms`; it may hold a password. */
      readonly url: string;
      /** How many replicas have to have a write before it counts. */
      readonly replicas: number;
      readonly acceptedRisks: readonly RedisRisk[];
    };

export function toBackend(env: StoreVariables): StoreBackend {
  const { STORE_URL: url, REDIS_REPLICAS: replicas, REDIS_ACCEPT_RISK: acceptedRisks } = env;
  if (url.startsWith('sqlite:')) return { kind: 'sqlite', path: url.slice('sqlite:'.length) };
  if (isPostgres(url)) return toPostgresBackend(url, env);
  return { kind: 'redis', url, replicas, acceptedRisks };
}

export function toLimits(env: StoreVariables): StoreLimits {
  return {
    quarantineBytes: env.STORE_QUARANTINE_BYTES,
    quarantineEntries: env.STORE_QUARANTINE_ENTRIES,
    callbackOnlyMessages: env.STORE_CALLBACK_ONLY_MESSAGES,
  };
}

const limitNames = ['STORE_QUARANTINE_BYTES', 'STORE_QUARANTINE_ENTRIES', 'STORE_CALLBACK_ONLY_MESSAGES'];

/** What of these variables means nothing beside the others. */
export function storeFaults(env: Readonly<Record<string, string | undefined>>): string[] {
  const url = env['STORE_URL'] ?? '';
  return [
    ...(isPostgres(url) ? passwordFaults(env) : unused(env, Object.keys(postgresVariables), 'PostgreSQL')),
    ...(url.startsWith('redis')
      ? redisFaults(env)
      : unused(env, ['REDIS_REPLICAS', 'REDIS_ACCEPT_RISK'], 'Redis')),
    ...(isPostgres(url) ? unused(env, ['STORE_VACUUM_HOUR'], 'SQLite') : []),
  ];
}

function redisFaults(env: Readonly<Record<string, string | undefined>>): string[] {
  return [
    ...limitNames
      .filter((name) => env[name] !== undefined)
      .map((name) => `${name}: not for a Redis, which has no such limit`),
    ...(env['STORE_VACUUM_HOUR'] === undefined
      ? []
      : ['STORE_VACUUM_HOUR: only for SQLite, and STORE_URL names a Redis']),
  ];
}

function unused(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
  engine: string,
): string[] {
  return names
    .filter((name) => env[name] !== undefined)
    .map((name) => `${name}: only for a ${engine}, and STORE_URL names none`);
}

function passwordFaults(env: Readonly<Record<string, string | undefined>>): string[] {
  if (env['STORE_PASSWORD_FILE'] === undefined) return [];
  return ['STORE_URL', 'STORE_LISTEN_URL']
    .filter((name) => parsePostgresUrl(env[name] ?? '')?.password)
    .map((name) => `STORE_PASSWORD_FILE: ${name} holds a password already`);
}

function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

/** For a log. */
export function nameOfBackend(backend: StoreBackend): string {
  if (backend.kind === 'sqlite') return backend.path;
  return backend.kind === 'postgres' ? postgresUrlForLog(backend.url) : withoutCredentials(backend.url);
}

/** What no log may show: the password, as it is and as the address has it. */
export function storeSecrets(backend: StoreBackend): string[] {
  if (backend.kind === 'postgres') return [...new Set(postgresSecrets(backend))];
  const password = backend.kind === 'redis' ? parseRedisUrl(backend.url)?.access.password : null;
  return password ? [...new Set([password, encodeURIComponent(password)])] : [];
}
