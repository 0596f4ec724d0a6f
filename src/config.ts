import { randomBytes } from 'node:crypto';
import { type Variables, variables } from './config-variables.ts';
import type { DeliveryStatus } from './message.ts';

/** All that the gateway can be told, checked and with its defaults filled in. `.env.example` describes each one. */
export interface Config {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Where the world reaches this gateway, without a trailing slash; null: the address it listens on. */
  readonly publicUrl: string | null;
  readonly pingup: PingupConfig;
  readonly callback: CallbackConfig;
  readonly store: StoreConfig;
  readonly logLevel: Variables['LOG_LEVEL'];
}

export interface PingupConfig {
  /** Without the business and without a trailing slash. */
  readonly baseUrl: string;
  readonly business: string;
  /** Null: no account, so the sandbox stands in for Pingup. */
  readonly apiKey: string | null;
  /** For one send in all, the answer's body included. */
  readonly timeoutMs: number;
  readonly sendCallbackUrl: boolean;
  /** How long the sandbox waits between two callbacks of one message. */
  readonly sandboxStepMs: number;
}

export interface CallbackConfig {
  /** The last segment of the callback address; who knows it is Pingup. */
  readonly token: string;
  readonly format: CallbackFormat;
}

/** Where a callback says what (RFC 6901 JSON Pointers), and in which words. Null: at the usual places. */
export interface CallbackFormat {
  /** From a word of Pingup's, in lower case, to a status. */
  readonly statusMap: ReadonlyMap<string, DeliveryStatus>;
  readonly messageIdPointer: string | null;
  readonly statusPointer: string | null;
  readonly timestampPointer: string | null;
  readonly failureCodePointer: string | null;
  readonly failureReasonPointer: string | null;
}

export interface StoreConfig {
  /** The SQLite file. */
  readonly path: string;
  readonly retentionDays: number;
}

/** What is wrong with the environment: every fault, one a line, each with what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(faults: readonly string[]) {
    super(`The configuration is not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

const secrets: ReadonlySet<string> = new Set(['PINGUP_API_KEY', 'CALLBACK_TOKEN']);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration from the environment; an empty variable counts as unset.
 *
 * @throws ConfigError with all faults at once.
 */
export function parseConfig(environment: Environment): Config {
  const env = withoutEmpty(environment);
  const parsed = variables.safeParse(env);
  const issues = parsed.success ? [] : parsed.error.issues;
  const faults = [
    ...issues.map((issue) => describeIssue(issue.path.join('.'), issue.message, env)),
    ...togetherFaults(env),
    ...unknownVariables(env).map((name) => `${name}: no such variable; .env.example lists them all`),
  ];
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return toConfig(parsed.data);
}

/** Shows the value that was found, unless it is a secret. */
function describeIssue(name: string, expected: string, env: Environment): string {
  const found = secrets.has(name) ? '' : `, not ${JSON.stringify(env[name])}`;
  return `${name}: expected ${expected}${found}`;
}

/** What no variable shows alone. */
function togetherFaults(env: Environment): string[] {
  const { NODE_ENV, PINGUP_API_KEY, PINGUP_BUSINESS_NAME, CALLBACK_TOKEN, PINGUP_BASE_URL } = env;
  if (PINGUP_API_KEY) {
    return [
      ...(PINGUP_BUSINESS_NAME ? [] : ['PINGUP_BUSINESS_NAME: required with PINGUP_API_KEY']),
      ...(env['PINGUP_SEND_CALLBACK_URL'] === 'true' && !env['PUBLIC_URL']
        ? ['PUBLIC_URL: required with PINGUP_SEND_CALLBACK_URL, so that Pingup can reach it']
        : []),
      ...(CALLBACK_TOKEN ? [] : ['CALLBACK_TOKEN: required with PINGUP_API_KEY, at least 24 characters']),
    ];
  }
  return [
    ...(NODE_ENV === 'production'
      ? ['PINGUP_API_KEY: required under NODE_ENV=production, where no sandbox stands in for Pingup']
      : []),
    ...(PINGUP_BASE_URL ? ['PINGUP_API_KEY: required with PINGUP_BASE_URL'] : []),
  ];
}

const ourPrefixes = /^(PINGUP|CALLBACK|STORE|RETENTION)_/;
/** What Kubernetes sets for a service that happens to be called `pingup` or `store`. */
const serviceLinks = /_(SERVICE|PORT)(_|$)/;

/** Variables that look like ours and are not: a typing error that would otherwise go unseen. */
function unknownVariables(env: Environment): string[] {
  return Object.keys(env).filter(
    (name) => ourPrefixes.test(name) && !serviceLinks.test(name) && !(name in variables.shape),
  );
}

function toConfig(env: Variables): Config {
  return {
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL ?? null,
    pingup: {
      baseUrl: env.PINGUP_BASE_URL,
      business: env.PINGUP_BUSINESS_NAME,
      apiKey: env.PINGUP_API_KEY ?? null,
      timeoutMs: env.PINGUP_TIMEOUT_MS,
      sendCallbackUrl: env.PINGUP_SEND_CALLBACK_URL,
      sandboxStepMs: env.SANDBOX_STEP_MS,
    },
    callback: { token: env.CALLBACK_TOKEN ?? randomBytes(24).toString('base64url'), format: toFormat(env) },
    store: { path: env.STORE_URL.slice('sqlite:'.length), retentionDays: env.RETENTION_DAYS },
    logLevel: env.LOG_LEVEL,
  };
}

function toFormat(env: Variables): CallbackFormat {
  return {
    statusMap: env.CALLBACK_STATUS_MAP,
    messageIdPointer: env.CALLBACK_MESSAGE_ID_POINTER ?? null,
    statusPointer: env.CALLBACK_STATUS_POINTER ?? null,
    timestampPointer: env.CALLBACK_TIMESTAMP_POINTER ?? null,
    failureCodePointer: env.CALLBACK_FAILURE_CODE_POINTER ?? null,
    failureReasonPointer: env.CALLBACK_FAILURE_REASON_POINTER ?? null,
  };
}

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}
