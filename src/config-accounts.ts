import { randomBytes } from 'node:crypto';
import type { Account } from './account.ts';
import { confidentialAddressExpected, isConfidentialAddress } from './account-kinds.ts';
import type { AccountDefaults, AccountRules } from './accounts-file.ts';
import type { Environment, Variables } from './config-variables.ts';

/** Where the accounts with Pingup are, and the rules of the file. At least one of `single` and `file` is there. */
export interface AccountsConfig extends AccountRules {
  /** The account that the variables themselves name, or the sandbox's; null: all are in the file. */
  readonly single: Account | null;
  /** The path of PINGUP_ACCOUNTS_FILE, which is not read yet; null: there is none. */
  readonly file: string | null;
}

/** Opens nothing else than the sandbox, which listens on loopback only. */
const sandboxKey = 'sandbox-key';

export function toAccounts(env: Variables): AccountsConfig {
  const defaults = {
    baseUrl: env.PINGUP_BASE_URL,
    limits: {
      concurrency: env.PINGUP_CONCURRENCY,
      maxWaiting: env.PINGUP_QUEUE,
      sendsPerSecond: env.PINGUP_SENDS_PER_SECOND ?? null,
    },
  };
  const file = env.PINGUP_ACCOUNTS_FILE ?? null;
  return { single: toSingle(env, defaults), file, defaults, allowHttp: env.PINGUP_ALLOW_HTTP };
}

function toSingle(env: Variables, defaults: AccountDefaults): Account | null {
  const { PINGUP_API_KEY, CALLBACK_TOKEN, CALLBACK_TOKEN_PREVIOUS: previous } = env;
  if (PINGUP_API_KEY === undefined && env.PINGUP_ACCOUNTS_FILE !== undefined) return null;
  const token = CALLBACK_TOKEN ?? randomBytes(24).toString('base64url');
  return {
    business: env.PINGUP_BUSINESS_NAME,
    apiKey: PINGUP_API_KEY ?? sandboxKey,
    ...defaults,
    callback: {
      tokens: previous === undefined ? [token] : [token, previous],
      hmacSecret: env.CALLBACK_HMAC_SECRET ?? null,
    },
  };
}

/** What the variables of the accounts are not to be together. */
export function accountFaults(env: Environment): string[] {
  const { PINGUP_API_KEY, PINGUP_ACCOUNTS_FILE } = env;
  return [
    ...(PINGUP_API_KEY ? singleFaults(env) : unusedFaults(env)),
    ...(PINGUP_API_KEY || PINGUP_ACCOUNTS_FILE ? publicFaults(env) : noAccountFaults(env)),
    ...rotationFaults(env),
  ];
}

function singleFaults({ PINGUP_BUSINESS_NAME, CALLBACK_TOKEN }: Environment): string[] {
  return [
    ...(PINGUP_BUSINESS_NAME ? [] : ['PINGUP_BUSINESS_NAME: required with PINGUP_API_KEY']),
    ...(CALLBACK_TOKEN ? [] : ['CALLBACK_TOKEN: required with PINGUP_API_KEY, at least 24 characters']),
  ];
}

/** What belongs to the single account is not used without one, but for the sandbox's business and token. */
function unusedFaults(env: Environment): string[] {
  const ofSandbox = ['PINGUP_BUSINESS_NAME', 'CALLBACK_TOKEN'];
  const names = ['CALLBACK_TOKEN_PREVIOUS', 'CALLBACK_HMAC_SECRET'];
  return [...(env['PINGUP_ACCOUNTS_FILE'] ? ofSandbox : []), ...names]
    .filter((name) => env[name])
    .map((name) => `PINGUP_API_KEY: required with ${name}`);
}

function publicFaults({ PINGUP_SEND_CALLBACK_URL, PUBLIC_URL }: Environment): string[] {
  return PINGUP_SEND_CALLBACK_URL === 'true' && !PUBLIC_URL
    ? ['PUBLIC_URL: required with PINGUP_SEND_CALLBACK_URL, so that Pingup can reach it']
    : [];
}

function noAccountFaults({ NODE_ENV, PINGUP_BASE_URL }: Environment): string[] {
  const or = 'or PINGUP_ACCOUNTS_FILE';
  return [
    ...(NODE_ENV === 'production'
      ? [`PINGUP_API_KEY: required under NODE_ENV=production, ${or}: no sandbox stands in for Pingup there`]
      : []),
    ...(PINGUP_BASE_URL ? [`PINGUP_API_KEY: required with PINGUP_BASE_URL, ${or}`] : []),
  ];
}

function rotationFaults({ CALLBACK_TOKEN, CALLBACK_TOKEN_PREVIOUS }: Environment): string[] {
  return CALLBACK_TOKEN && CALLBACK_TOKEN === CALLBACK_TOKEN_PREVIOUS
    ? ['CALLBACK_TOKEN_PREVIOUS: expected another token than CALLBACK_TOKEN']
    : [];
}

/** What travels to Pingup is the API key, and what is said to whom. */
export function baseUrlFaults({ PINGUP_BASE_URL, PINGUP_ALLOW_HTTP }: Variables): string[] {
  return PINGUP_ALLOW_HTTP || isConfidentialAddress(PINGUP_BASE_URL)
    ? []
    : [`PINGUP_BASE_URL: expected ${confidentialAddressExpected}`];
}
