import { z } from 'zod';
import { type PostgresRisk, postgresRisks } from './postgres-risks.ts';
import { parsePostgresUrl, postgresUrlForm } from './postgres-url.ts';
import { wholeNumber } from './whole-number.ts';

function flag() {
  return z.enum(['true', 'false'], 'true or false').transform((value) => value === 'true');
}

/** The variables that mean something only if `STORE_URL` names a PostgreSQL. */
export const postgresVariables = {
  STORE_LISTEN_URL: z
    .string()
    .refine((value) => parsePostgresUrl(value) !== undefined, postgresUrlForm)
    .optional(),
  STORE_PASSWORD_FILE: z.string().optional(),
  STORE_CONNECTIONS: wholeNumber(5, 100).default(6),
  STORE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, '1 to 63 lower-case letters, digits and _, the first no digit')
    .refine((value) => !value.startsWith('pg_'), 'a name that does not begin with pg_')
    .default('pingup_gateway'),
  STORE_MIGRATE: flag().default(true),
  STORE_NAMED_STATEMENTS: flag().default(false),
  STORE_ACCEPT_RISK: z
    .string()
    .default('')
    .transform((value, context) => {
      const risks = value.split(',').flatMap((item) => item.trim() || []);
      if (risks.every(isRisk)) return risks;
      context.addIssue(`names with commas between, each one of ${postgresRisks.join(', ')}`);
      return z.NEVER;
    }),
};

function isRisk(name: string): name is PostgresRisk {
  return postgresRisks.some((risk) => risk === name);
}

export interface PostgresBackend {
  readonly kind: 'postgres';
  /** Of `postgresUrlForm`; it may hold a password. */
  readonly url: string;
  /** The same servers, without a pooler between; null: none is named. */
  readonly listenUrl: string | null;
  /** It holds the password and nothing else. */
  readonly passwordFile: string | null;
  readonly maxSessions: number;
  readonly schema: string;
  /** False: the operator runs the migrations. */
  readonly migrates: boolean;
  /** Behind a pooler; without one they are used anyway. */
  readonly namedStatements: boolean;
  readonly acceptedRisks: readonly PostgresRisk[];
}

type PostgresVariables = z.output<z.ZodObject<typeof postgresVariables>>;

export function toPostgresBackend(url: string, env: PostgresVariables): PostgresBackend {
  return {
    kind: 'postgres',
    url,
    listenUrl: env.STORE_LISTEN_URL ?? null,
    passwordFile: env.STORE_PASSWORD_FILE ?? null,
    maxSessions: env.STORE_CONNECTIONS,
    schema: env.STORE_SCHEMA,
    migrates: env.STORE_MIGRATE,
    namedStatements: env.STORE_NAMED_STATEMENTS,
    acceptedRisks: env.STORE_ACCEPT_RISK,
  };
}

/** The passwords of both addresses, as they are and as the addresses have them. */
export function postgresSecrets({ url, listenUrl }: PostgresBackend): string[] {
  return [url, ...(listenUrl ? [listenUrl] : [])].flatMap((address) => {
    const password = parsePostgresUrl(address)?.password;
    const written = /^[^/]*\/\/[^@:]*:([^@]*)@/.exec(address)?.[1] ?? '';
    return password ? [password, written, encodeURIComponent(password)] : [];
  });
}
