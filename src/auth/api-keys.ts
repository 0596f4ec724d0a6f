import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { businessPattern } from '../account.ts';
import { type Caller, scopes } from '../caller.ts';
import { ConfigError } from '../config-error.ts';
import { duplicateKeys } from '../duplicate-keys.ts';
import { createMutex } from '../mutex.ts';
import { parseJson } from '../parse-json.ts';
import { everyBusiness } from './token-claims.ts';

/** The keys of machines, of which only the hashes are known here. */
export interface ApiKeys {
  /** Who has the key with this hash: SHA-256, in lower-case hexadecimal digits. */
  find(sha256: string): Caller | undefined;
  /**
   * Reads the file anew. Whoever has a key that is gone or may do other things than before has expired from then on.
   * Reloads take turns: the file that was read last stands.
   *
   * @throws ConfigError with all that is wrong with the file; then nothing has changed.
   */
  reload(): Promise<void>;
}

/**
 * A JSON file: name → `{ sha256, businesses, scopes }`. What a key does is counted by its name, so that another key under
 * the same name counts on.
 *
 * @throws ConfigError with all that is wrong with the file.
 */
export async function openApiKeys(path: string): Promise<ApiKeys> {
  let callers = await readCallers(path);
  const runExclusive = createMutex();

  async function load(): Promise<void> {
    const before = callers;
    callers = await readCallers(path);
    for (const [sha256, caller] of before) keepOrWithdraw(sha256, caller);
  }

  function keepOrWithdraw(sha256: string, caller: KeyHolder): void {
    const after = callers.get(sha256);
    if (!after || !mayDoTheSame(caller, after)) {
      caller.expiresAt = 0;
      return;
    }
    caller.id = after.id;
    callers.set(sha256, caller);
  }

  return { find: (sha256) => callers.get(sha256), reload: () => runExclusive(load) };
}

interface KeyHolder extends Caller {
  id: string;
  expiresAt: number | null;
}

const businessesExpected = `names of businesses, at least one, or ${JSON.stringify(everyBusiness)}`;

const file = z.record(
  z.string(),
  z.strictObject(
    {
      sha256: z.string('64 hexadecimal digits').regex(/^[0-9a-f]{64}$/i, '64 hexadecimal digits'),
      businesses: z.union(
        [
          z.literal(everyBusiness),
          z.array(z.string().regex(businessPattern, businessesExpected)).min(1, businessesExpected),
        ],
        businessesExpected,
      ),
      scopes: z.array(z.enum(scopes, `one of ${scopes.join(', ')}`), 'scopes').min(1, 'at least one scope'),
    },
    'an object with sha256, businesses and scopes, and nothing else',
  ),
  'an object of keys by name',
);

async function readCallers(path: string): Promise<Map<string, KeyHolder>> {
  const parsed = file.safeParse(await readJson(path));
  if (!parsed.success)
    throw fault(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: expected ${issue.message}`));
  const entries = Object.entries(parsed.data).map(
    ([name, entry]) => [entry.sha256.toLowerCase(), toHolder(name, entry)] as const,
  );
  const callers = new Map(entries);
  if (callers.size < entries.length) throw fault('expected each sha256 once');
  return callers;
}

/** What is wrong with a file that cannot be read may be in it: only where it is is told. */
async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw fault(`${path} cannot be read (${cause.code})`);
  });
  const json = parseJson(text);
  if (json === undefined) throw fault(`${path} holds no JSON`);
  const twice = duplicateKeys(text);
  if (twice.length > 0) throw fault(...twice.map((place) => `${place}: expected once, not twice`));
  return json;
}

function fault(...sentences: readonly string[]): ConfigError {
  return new ConfigError(sentences.map((sentence) => `AUTH_API_KEYS_FILE: ${sentence}`));
}

type Entry = z.output<typeof file>[string];

function toHolder(name: string, { businesses, scopes }: Entry): KeyHolder {
  return {
    id: `key ${name}`,
    businesses: businesses === everyBusiness ? null : new Set(businesses),
    scopes: new Set(scopes),
    expiresAt: null,
  };
}

function mayDoTheSame(one: Caller, other: Caller): boolean {
  return isSame(one.scopes, other.scopes) && isSame(one.businesses, other.businesses);
}

function isSame(one: ReadonlySet<string> | null, other: ReadonlySet<string> | null): boolean {
  if (one === null || other === null) return one === other;
  return one.size === other.size && [...one].every((name) => other.has(name));
}
