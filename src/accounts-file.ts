import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Account, type AccountLimits, businessPattern } from './account.ts';
import {
  apiKey,
  businessExpected,
  callbackToken,
  confidentialAddressExpected,
  hmacSecret,
  httpAddress,
  isConfidentialAddress,
  limitBounds,
} from './account-kinds.ts';
import { ConfigError } from './config-error.ts';
import { duplicateKeys } from './duplicate-keys.ts';

/** What an account has whose entry does not say otherwise. */
export type AccountDefaults = Pick<Account, 'baseUrl' | 'limits'>;

export interface AccountRules {
  readonly defaults: AccountDefaults;
  /** Whether a `baseUrl` may be http on another host than loopback. */
  readonly allowHttp: boolean;
}

/**
 * Reads the file that PINGUP_ACCOUNTS_FILE names.
 *
 * @throws ConfigError with all faults at once, each with its place in the file and with nothing of what stands there.
 */
export async function readAccountsFile(path: string, rules: AccountRules): Promise<readonly Account[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse([`expected a file that can be read (${error.code})`]),
  );
  return parseAccounts(text, rules);
}

/**
 * The accounts of a JSON text: an object from each business to its account.
 *
 * @throws ConfigError
 */
export function parseAccounts(text: string, rules: AccountRules): readonly Account[] {
  const entries = Object.entries(parseObject(text));
  const parsed = entries.map(([business, entry]) => parseEntry(business, entry, rules));
  const faults = [
    ...duplicateKeys(text).map((place) => `${place}: expected once, not twice`),
    ...parsed.flatMap((account) => (Array.isArray(account) ? account : [])),
  ];
  if (faults.length > 0) refuse(faults);
  return parsed.flatMap((account) => (Array.isArray(account) ? [] : [account]));
}

function parseObject(text: string): object {
  const value = parseJson(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  return refuse(['expected an object from each business to its account']);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const [where] = /line \d+ column \d+/.exec(String(error)) ?? [];
    return refuse([`expected JSON${where ? `, but for what stands at ${where}` : ''}`]);
  }
}

const tokensExpected = 'one token, or two while one takes the place of the other';

const entryShape = z.strictObject(
  {
    apiKey: apiKey(),
    callbackTokens: z
      .array(callbackToken(), tokensExpected)
      .min(1, tokensExpected)
      .max(2, tokensExpected)
      .refine((tokens) => new Set(tokens).size === tokens.length, 'two different tokens'),
    baseUrl: httpAddress().optional(),
    limits: z
      .strictObject(
        {
          concurrency: wholeNumber(...limitBounds.concurrency).optional(),
          queue: wholeNumber(...limitBounds.queue).optional(),
          sendsPerSecond: wholeNumber(...limitBounds.sendsPerSecond).optional(),
        },
        'an object with nothing but concurrency, queue and sendsPerSecond',
      )
      .default({}),
    callbackHmacSecret: hmacSecret().optional(),
  },
  'an object with apiKey and callbackTokens, and perhaps baseUrl, limits and callbackHmacSecret; nothing else',
);

type Entry = z.output<typeof entryShape>;

function wholeNumber(from: number, to: number) {
  const expected = `a whole number from ${from} to ${to}`;
  return z.int(expected).min(from, expected).max(to, expected);
}

/** The account, or what is wrong with it. */
function parseEntry(business: string, entry: unknown, rules: AccountRules): Account | string[] {
  if (!businessPattern.test(business))
    return [`${JSON.stringify(business)}: expected as the name of a business ${businessExpected}`];
  const { success, data, error } = entryShape.safeParse(entry);
  if (success && !rules.allowHttp && data.baseUrl !== undefined && !isConfidentialAddress(data.baseUrl))
    return [`${business}.baseUrl: expected ${confidentialAddressExpected}`];
  if (success) return toAccount(business, data, rules.defaults);
  const faults = error.issues.map(
    ({ path, message }) => `${placeOf([business, ...path])}: expected ${message}`,
  );
  // zod asks for the length of a text too, where a list was expected.
  return [...new Set(faults)];
}

/** `acme.callbackTokens[0]` */
function placeOf([first, ...rest]: readonly PropertyKey[]): string {
  const steps = rest.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return [String(first), ...steps].join('');
}

function toAccount(business: string, entry: Entry, defaults: AccountDefaults): Account {
  const { apiKey, callbackTokens, callbackHmacSecret, baseUrl = defaults.baseUrl } = entry;
  return {
    business,
    apiKey,
    baseUrl,
    limits: toLimits(entry.limits, defaults.limits),
    callback: { tokens: callbackTokens, hmacSecret: callbackHmacSecret ?? null },
  };
}

function toLimits(limits: Entry['limits'], defaults: AccountLimits): AccountLimits {
  return {
    concurrency: limits.concurrency ?? defaults.concurrency,
    maxWaiting: limits.queue ?? defaults.maxWaiting,
    sendsPerSecond: limits.sendsPerSecond ?? defaults.sendsPerSecond,
  };
}

function refuse(faults: readonly string[]): never {
  throw new ConfigError(faults.map((fault) => `PINGUP_ACCOUNTS_FILE: ${fault}`));
}
