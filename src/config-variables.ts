import proxyAddr from '@fastify/proxy-addr';
import { z } from 'zod';
import {
  apiKey,
  businessName,
  callbackToken,
  hmacSecret,
  httpAddress,
  limitBounds,
} from './account-kinds.ts';
import { isJwtAlgorithm, type JwtAlgorithm, jwtAlgorithms } from './jwt-key.ts';
import { isLoopback } from './loopback.ts';
import { type DeliveryStatus, deliveryStatuses } from './message.ts';
import { storeVariables } from './store-variables.ts';
import { tracingVariables } from './tracing-variables.ts';
import { wholeNumber } from './whole-number.ts';

/**
 * The environment variables of the gateway: what each may hold, and what it is when unset.
 * `.env.example` lists the same for operators, and a test holds the two together.
 */

/** Pingup's own words for a status, as far as its pages tell them. */
const documentedWords: readonly (readonly [string, DeliveryStatus])[] = [
  ['sent', 'SENT'],
  ['received', 'DELIVERED'],
  ['delivered', 'DELIVERED'],
  ['read', 'READ'],
  ['failed', 'FAILED'],
];

function flag() {
  return z.enum(['true', 'false'], 'true or false').transform((value) => value === 'true');
}

/** Keys that come over the network in the clear could be anybody's. */
function isSafeAddress(value: string): boolean {
  const url = URL.parse(value);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  return isSafe && url?.username === '' && !/[\s#]|:\/\/[^/]*@/.test(value);
}

function list(isItem: (item: string) => boolean, expected: string) {
  return z
    .string()
    .default('')
    .transform((value) => value.split(',').flatMap((item) => item.trim() || []))
    .refine((items) => items.every(isItem), expected);
}

function isOrigin(item: string): boolean {
  return item === '*' || URL.parse(item)?.origin === item;
}

function isNetwork(item: string): boolean {
  try {
    proxyAddr.compile(item);
    return true;
  } catch {
    return false;
  }
}

const networks = 'addresses and networks such as 10.0.0.0/8 with commas between';

/** In lower case, as Node has the names of headers. */
function headerName() {
  return z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'the name of an HTTP header, such as x-signature')
    .transform((name) => name.toLowerCase());
}

function jsonPointer() {
  return z
    .string()
    .regex(/^(\/([^~/]|~[01])*)+$/, 'a JSON Pointer (RFC 6901) such as "/data/message_id"')
    .optional();
}

const statusMapExpected = `word=STATUS pairs with commas between, each STATUS one of ${deliveryStatuses.join(', ')}`;

const statusMap = z
  .string()
  .default('')
  .transform((value, context) => {
    const pairs = value === '' ? [] : value.split(',').map(parsePair);
    if (pairs.every((pair) => pair !== undefined)) return new Map([...documentedWords, ...pairs]);
    context.addIssue(statusMapExpected);
    return z.NEVER;
  });

function parsePair(pair: string): readonly [string, DeliveryStatus] | undefined {
  const [word, name, ...rest] = pair.split('=').map((part) => part.trim());
  const status = deliveryStatuses.find((known) => known === name);
  return word && status && rest.length === 0 ? [word.toLowerCase(), status] : undefined;
}

const jwtAlgorithmList = z
  .string()
  .default('')
  .transform((value) => value.split(',').flatMap((name) => name.trim() || []))
  .refine(
    (names): names is JwtAlgorithm[] => names.every(isJwtAlgorithm),
    `some of ${jwtAlgorithms.join(', ')}, with commas between`,
  );

export const variables = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(4000),
  METRICS_PORT: wholeNumber(0, 65_535).optional(),
  PUBLIC_URL: httpAddress().optional(),
  PINGUP_BASE_URL: httpAddress().default('https://api.pingup.ai/ext/v2'),
  PINGUP_ALLOW_HTTP: flag().default(false),
  PINGUP_BUSINESS_NAME: businessName().default('sandbox'),
  PINGUP_API_KEY: apiKey().optional(),
  PINGUP_ACCOUNTS_FILE: z.string().optional(),
  PINGUP_TIMEOUT_MS: wholeNumber(100, 120_000).default(10_000),
  PINGUP_CONCURRENCY: wholeNumber(...limitBounds.concurrency).default(64),
  PINGUP_QUEUE: wholeNumber(...limitBounds.queue).default(256),
  PINGUP_SENDS_PER_SECOND: wholeNumber(...limitBounds.sendsPerSecond).optional(),
  PINGUP_SEND_CALLBACK_URL: flag().default(false),
  CALLBACK_TOKEN: callbackToken().optional(),
  CALLBACK_TOKEN_PREVIOUS: callbackToken().optional(),
  CALLBACK_TOKEN_HEADER: headerName().optional(),
  CALLBACK_HMAC_SECRET: hmacSecret().optional(),
  CALLBACK_HMAC_HEADER: headerName().default('x-signature'),
  CALLBACK_HMAC_PREFIX: z
    .string()
    .regex(/^[\x21-\x7e]{1,32}$/, '1 to 32 visible ASCII characters without blanks, such as sha256=')
    .default(''),
  CALLBACK_HMAC_ENCODING: z.enum(['hex', 'base64'], 'hex or base64').default('hex'),
  CALLBACK_HMAC_TIMESTAMP_HEADER: headerName().optional(),
  CALLBACK_NETWORKS: list(isNetwork, networks),
  CALLBACK_STATUS_MAP: statusMap,
  CALLBACK_MESSAGE_ID_POINTER: jsonPointer(),
  CALLBACK_STATUS_POINTER: jsonPointer(),
  CALLBACK_TIMESTAMP_POINTER: jsonPointer(),
  CALLBACK_FAILURE_CODE_POINTER: jsonPointer(),
  CALLBACK_FAILURE_REASON_POINTER: jsonPointer(),
  SANDBOX_STEP_MS: wholeNumber(0, 3_600_000).default(2_000),
  ...storeVariables,
  STORE_MESSAGE_TEXT: flag().default(true),
  RETENTION_DAYS: wholeNumber(1, 36_500).default(30),
  IDEMPOTENCY_HOURS: wholeNumber(1, 720).default(24),
  INTROSPECTION: flag().optional(),
  ALLOWED_ORIGINS: list(isOrigin, 'origins such as https://app.example.com with commas between, or *'),
  TRUST_PROXY: list(isNetwork, networks),
  MAX_SOCKETS: wholeNumber(1, 1_000_000).default(20_000),
  SOCKETS_PER_ADDRESS: wholeNumber(1, 1_000_000).default(1_000),
  MESSAGES_PER_SECOND: wholeNumber(1, 1_000_000).default(500),
  REQUESTS_PER_MINUTE: wholeNumber(1, 100_000_000).optional(),
  MAX_DOCUMENT_BYTES: wholeNumber(1_024, 65_536).default(16_384),
  SENDS_PER_MINUTE: wholeNumber(1, 100_000_000).optional(),
  SUBSCRIPTION_HOURS: wholeNumber(1, 500).default(24),
  DRAIN_MS: wholeNumber(0, 7_000).default(5_000),
  AUTH: z.enum(['none', 'required'], 'none or required').optional(),
  AUTH_JWKS_URL: z
    .string()
    .refine(isSafeAddress, 'an https address, or an http one on loopback, without blanks or credentials')
    .optional(),
  AUTH_JWT_KEY: z.string().optional(),
  AUTH_JWT_ALGORITHMS: jwtAlgorithmList,
  AUTH_JWT_ISSUER: z.string().optional(),
  AUTH_JWT_AUDIENCE: z.string().optional(),
  AUTH_BUSINESSES_CLAIM: z.string().default('businesses'),
  AUTH_SCOPES_CLAIM: z.string().default('scope'),
  AUTH_API_KEYS_FILE: z.string().optional(),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'fatal, error, warn, info, debug, trace or silent',
    })
    .default('info'),
  ...tracingVariables,
});

export type Variables = z.output<typeof variables>;

/** As the process has it, without what is empty. */
export type Environment = Readonly<Record<string, string | undefined>>;
