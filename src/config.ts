import { type AuthConfig, authFaults, toAuth } from './auth-config.ts';
import { type AccountsConfig, accountFaults, baseUrlFaults, toAccounts } from './config-accounts.ts';
import { ConfigError } from './config-error.ts';
import { type Environment, type Variables, variables } from './config-variables.ts';
import { isLoopback } from './loopback.ts';
import type { DeliveryStatus } from './message.ts';
import type { StoreLimits } from './store-limits.ts';
import { type StoreBackend, storeFaults, toBackend, toLimits } from './store-variables.ts';
import { type TracingConfig, toTracing } from './tracing-variables.ts';

/** All that the gateway can be told, checked and with its defaults filled in. `.env.example` describes each one. */
export interface Config {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The port of `/metrics` alone; 0: any free port; null: it is on `port`. */
  readonly metricsPort: number | null;
  /** Where the world reaches this gateway, without a trailing slash; null: the address it listens on. */
  readonly publicUrl: string | null;
  /** Null: authentication is disabled. */
  readonly auth: AuthConfig | null;
  readonly edge: EdgeConfig;
  readonly accounts: AccountsConfig;
  /** Null: there is an account, and nothing stands in for Pingup. */
  readonly sandbox: SandboxSettings | null;
  readonly pingup: PingupConfig;
  readonly callback: CallbackConfig;
  readonly store: StoreConfig;
  readonly logLevel: Variables['LOG_LEVEL'];
  /** Null: there are no traces. */
  readonly tracing: TracingConfig | null;
}

/** What the world may do to the GraphQL side. */
export interface EdgeConfig {
  /** Whether the schema may be asked for, errors suggest names, and GraphiQL is there. */
  readonly introspection: boolean;
  /** Origins of the pages of other sites that may call; `*`: any. */
  readonly allowedOrigins: readonly string[];
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /**
   * The names besides those of this machine under which GraphQL, the pages and the metrics are served; null: any. It is
   * not null on loopback without authentication, where any page that a browser on this machine shows could call.
   */
  readonly hosts: readonly string[] | null;
  /** Connections of the public port, WebSockets among them. */
  readonly maxSockets: number;
  /** Connections of one address that is no trusted proxy's, and WebSockets of one client. */
  readonly socketsPerAddress: number;
  /** For each socket. */
  readonly messagesPerSecond: number;
  /** For each address, by HTTP and by WebSocket together; null: unlimited. */
  readonly requestsPerMinute: number | null;
  /** Of one GraphQL document, comments included. */
  readonly maxDocumentBytes: number;
  /** Texts for each caller; null: unlimited. */
  readonly sendsPerMinute: number | null;
  /** How long a subscription may run before it completes. */
  readonly subscriptionMs: number;
  /** Over how long sockets are closed, when there are many and the gateway stops. */
  readonly drainMs: number;
}

export interface PingupConfig {
  /** For one send in all, the answer's body included. */
  readonly timeoutMs: number;
  readonly sendCallbackUrl: boolean;
}

export interface SandboxSettings {
  /** How long it waits between two callbacks of one message. */
  readonly stepMs: number;
}

export interface CallbackConfig {
  readonly format: CallbackFormat;
  readonly proof: CallbackProof;
  /** Addresses and networks that callbacks may come from; empty: any. */
  readonly networks: readonly string[];
}

/** Where a callback shows that it is Pingup's. Names of headers are in lower case. */
export interface CallbackProof {
  /** A header with the token, besides the address and `Authorization: Bearer`; null: none. */
  readonly tokenHeader: string | null;
  readonly signature: SignatureFormat;
}

/** How a callback is signed, where its account has a secret for that: HMAC-SHA256 over the raw body. */
export interface SignatureFormat {
  readonly header: string;
  /** What stands before the signature in its header: `sha256=`. */
  readonly prefix: string;
  readonly encoding: 'hex' | 'base64';
  /** The header of a timestamp that is signed too, as `{timestamp}.{body}`; null: the body alone is signed. */
  readonly timestampHeader: string | null;
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
  readonly backend: StoreBackend;
  readonly limits: StoreLimits;
  /** Whether what texts say is kept. */
  readonly keepTexts: boolean;
  readonly retentionDays: number;
  /** The hour of the day (UTC) in which the database is vacuumed; null: it is not. */
  readonly vacuumHour: number | null;
  /** How long an idempotency key is remembered; not longer than sends are kept. */
  readonly idempotencyHours: number;
}

const secrets: ReadonlySet<string> = new Set([
  'PINGUP_API_KEY',
  'CALLBACK_TOKEN',
  'CALLBACK_TOKEN_PREVIOUS',
  'CALLBACK_HMAC_SECRET',
  'AUTH_JWT_KEY',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
]);

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
    ...accountFaults(env),
    ...authFaults(env),
    ...storeFaults(env),
    ...(parsed.success ? valueFaults(parsed.data) : []),
    ...unknownVariables(env).map((name) => `${name}: no such variable; .env.example lists them all`),
  ];
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return toConfig(parsed.data, env['NODE_ENV'] === 'production');
}

/** Shows the value that was found, unless it is a secret, or holds one as credentials and queries of an address do. */
function describeIssue(name: string, expected: string, env: Environment): string {
  const hidden = secrets.has(name) || /[@?]/.test(env[name] ?? '');
  return `${name}: expected ${expected}${hidden ? '' : `, not ${JSON.stringify(env[name])}`}`;
}

/** What only the values show: what is deleted cannot be remembered, and a port can be taken once. */
function valueFaults(env: Variables): string[] {
  const { IDEMPOTENCY_HOURS, RETENTION_DAYS, PORT, METRICS_PORT } = env;
  return [
    ...baseUrlFaults(env),
    ...(IDEMPOTENCY_HOURS > RETENTION_DAYS * 24
      ? [
          `IDEMPOTENCY_HOURS: expected at most RETENTION_DAYS (${RETENTION_DAYS}), not ${IDEMPOTENCY_HOURS} hours`,
        ]
      : []),
    ...(PORT !== 0 && METRICS_PORT === PORT
      ? ['METRICS_PORT: expected another port than PORT, or to be unset for /metrics on PORT']
      : []),
  ];
}

const ourPrefixes = /^(PINGUP|CALLBACK|STORE|RETENTION|IDEMPOTENCY|AUTH)_/;
/** What Kubernetes sets for a service that happens to be called `pingup` or `store`. */
const serviceLinks = /_(SERVICE|PORT)(_|$)/;

/** Variables that look like ours and are not: a typing error that would otherwise go unseen. */
function unknownVariables(env: Environment): string[] {
  return Object.keys(env).filter(
    (name) => ourPrefixes.test(name) && !serviceLinks.test(name) && !(name in variables.shape),
  );
}

function toConfig(env: Variables, isProduction: boolean): Config {
  return {
    host: env.HOST,
    port: env.PORT,
    metricsPort: env.METRICS_PORT ?? null,
    publicUrl: env.PUBLIC_URL ?? null,
    auth: toAuth(env),
    edge: toEdge(env, isProduction),
    accounts: toAccounts(env),
    sandbox: (env.PINGUP_API_KEY ?? env.PINGUP_ACCOUNTS_FILE) ? null : { stepMs: env.SANDBOX_STEP_MS },
    pingup: { timeoutMs: env.PINGUP_TIMEOUT_MS, sendCallbackUrl: env.PINGUP_SEND_CALLBACK_URL },
    callback: { format: toFormat(env), proof: toProof(env), networks: env.CALLBACK_NETWORKS },
    store: {
      backend: toBackend(env),
      limits: toLimits(env),
      keepTexts: env.STORE_MESSAGE_TEXT,
      retentionDays: env.RETENTION_DAYS,
      vacuumHour: env.STORE_VACUUM_HOUR ?? null,
      idempotencyHours: env.IDEMPOTENCY_HOURS,
    },
    logLevel: env.LOG_LEVEL,
    tracing: toTracing(env),
  };
}

const hourMs = 3_600_000;

/** A page of our own public address may call, whatever a proxy makes of the Host header. */
function toEdge(env: Variables, isProduction: boolean): EdgeConfig {
  const own = env.PUBLIC_URL ? [new URL(env.PUBLIC_URL)] : [];
  return {
    introspection: env.INTROSPECTION ?? !isProduction,
    allowedOrigins: [...env.ALLOWED_ORIGINS, ...own.map(({ origin }) => origin)],
    trustedProxies: env.TRUST_PROXY,
    hosts: isLoopback(env.HOST) && toAuth(env) === null ? own.map(({ hostname }) => hostname) : null,
    maxSockets: env.MAX_SOCKETS,
    socketsPerAddress: env.SOCKETS_PER_ADDRESS,
    messagesPerSecond: env.MESSAGES_PER_SECOND,
    requestsPerMinute: env.REQUESTS_PER_MINUTE ?? null,
    maxDocumentBytes: env.MAX_DOCUMENT_BYTES,
    sendsPerMinute: env.SENDS_PER_MINUTE ?? null,
    subscriptionMs: env.SUBSCRIPTION_HOURS * hourMs,
    drainMs: env.DRAIN_MS,
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

function toProof(env: Variables): CallbackProof {
  return {
    tokenHeader: env.CALLBACK_TOKEN_HEADER ?? null,
    signature: {
      header: env.CALLBACK_HMAC_HEADER,
      prefix: env.CALLBACK_HMAC_PREFIX,
      encoding: env.CALLBACK_HMAC_ENCODING,
      timestampHeader: env.CALLBACK_HMAC_TIMESTAMP_HEADER ?? null,
    },
  };
}

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}
