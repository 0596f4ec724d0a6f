import { z } from 'zod';
import { parsePostgresUrl, postgresUrlForLog, postgresUrlForm } from './postgres-url.ts';
import {
  type PostgresBackend,
  postgresSecrets,
  postgresVariables,
  toPostgresBackend,
} from './postgres-variables.ts';
import { defaultStoreLimits, type StoreLimits } from './store-limits.ts';
import { wholeNumber } from './whole-number.ts';

const storeUrlForms = `sqlite:<path of a file> or ${postgresUrlForm}`;
const redisReplaced = ' (PostgreSQL has taken the place of Redis: docs/many-nodes.md)';

/** The variables that say where everything is kept. */
export const storeVariables = {
  STORE_URL: z
    .string()
    .refine((value) => /^sqlite:.+$/.test(value) || parsePostgresUrl(value) !== undefined, {
      error: ({ input }) => `${storeUrlForms}${isRedis(String(input)) ? redisReplaced : ''}`,
    })
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
};

/** As earlier commits took it: `redis:`, `rediss:`, `redis+cluster:`, `redis+sentinel:`, and what others write. */
function isRedis(url: string): boolean {
  return /^(redis|valkey)[a-z+]*:/i.test(url);
}

type StoreVariables = z.output<z.ZodObject<typeof storeVariables>>;

/** Where everything is kept. */
export type StoreBackend = { readonly kind: 'sqlite'; readonly path: string } | PostgresBackend;

export function toBackend(env: StoreVariables): StoreBackend {
  const url = env.STORE_URL;
  if (isPostgres(url)) return toPostgresBackend(url, env);
  return { kind: 'sqlite', path: url.slice('sqlite:'.length) };
}

export function toLimits(env: StoreVariables): StoreLimits {
  return {
    quarantineBytes: env.STORE_QUARANTINE_BYTES,
    quarantineEntries: env.STORE_QUARANTINE_ENTRIES,
    callbackOnlyMessages: env.STORE_CALLBACK_ONLY_MESSAGES,
  };
}

/** What of these variables means nothing beside the others. */
export function storeFaults(env: Readonly<Record<string, string | undefined>>): string[] {
  const url = env['STORE_URL'] ?? '';
  if (!isPostgres(url)) return unused(env, Object.keys(postgresVariables), 'PostgreSQL');
  return [...passwordFaults(env), ...unused(env, ['STORE_VACUUM_HOUR'], 'SQLite')];
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
  return backend.kind === 'sqlite' ? backend.path : postgresUrlForLog(backend.url);
}

/** What no log may show: the password, as it is and as the address has it. */
export function storeSecrets(backend: StoreBackend): string[] {
  return backend.kind === 'sqlite' ? [] : [...new Set(postgresSecrets(backend))];
}
