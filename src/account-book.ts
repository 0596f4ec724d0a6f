import { isDeepStrictEqual } from 'node:util';
import type { Account, Accounts } from './account.ts';
import { readAccountsFile } from './accounts-file.ts';
import type { AccountsConfig } from './config-accounts.ts';
import { ConfigError } from './config-error.ts';
import { createMutex } from './mutex.ts';

/** The accounts of the configuration, as they are now. */
export interface AccountBook extends Accounts {
  /**
   * Reads the accounts file again, and takes all of it or nothing. Reloads take turns: the file that was read last stands.
   *
   * @throws ConfigError with all faults of the file.
   */
  reload(): Promise<AccountChanges>;

  /** Every key, token and secret that an account has, or has had since the start: no log line may hold one. */
  secrets(): readonly string[];
}

/** The names of the businesses that another file made come, go, or differ. */
export interface AccountChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** @throws ConfigError */
export async function openAccountBook(config: AccountsConfig): Promise<AccountBook> {
  let known: AccountsByName = new Map();
  let businesses: readonly string[] = [];
  let secrets: readonly string[] = [];
  const runExclusive = createMutex();

  async function load(): Promise<AccountChanges> {
    const next = await loadAccounts(config);
    const changes = compare(known, next);
    known = next;
    businesses = [...next.keys()];
    secrets = [...new Set([...secrets, ...[...next.values()].flatMap(secretsOf)])];
    return changes;
  }

  await load();
  return {
    businesses: () => businesses,
    find: (business) => known.get(business),
    secrets: () => secrets,
    reload: () => runExclusive(load),
  };
}

/** In the order of their names. */
type AccountsByName = ReadonlyMap<string, Account>;

async function loadAccounts(config: AccountsConfig): Promise<AccountsByName> {
  const { single, file } = config;
  const listed = file === null ? [] : await readAccountsFile(file, config);
  const all = single === null ? listed : [single, ...listed];
  const faults = clashes(all, single?.business);
  if (all.length === 0) faults.push('PINGUP_ACCOUNTS_FILE: expected one business at least');
  if (faults.length > 0) throw new ConfigError(faults);
  const byName = all.toSorted((a, b) => (a.business < b.business ? -1 : 1));
  return new Map(byName.map((account) => [account.business, account]));
}

/** A token tells which business a callback speaks of, so no two have the same. */
function clashes(accounts: readonly Account[], single: string | undefined): string[] {
  const faults: string[] = [];
  const owners = new Map<string, string>();
  for (const [index, { business, callback }] of accounts.entries()) {
    if (index > 0 && business === single)
      faults.push(`PINGUP_ACCOUNTS_FILE: ${business}: expected another business than PINGUP_BUSINESS_NAME`);
    for (const [place, token] of callback.tokens.entries()) {
      const owner = owners.get(token);
      if (owner !== undefined)
        faults.push(
          `PINGUP_ACCOUNTS_FILE: ${business}.callbackTokens[${place}]: expected another token than ${owner} has`,
        );
      owners.set(token, business);
    }
  }
  return faults;
}

function compare(before: AccountsByName, after: AccountsByName): AccountChanges {
  const both = [...after.keys()].filter((business) => before.has(business));
  return {
    added: [...after.keys()].filter((business) => !before.has(business)),
    removed: [...before.keys()].filter((business) => !after.has(business)),
    changed: both.filter((business) => !isDeepStrictEqual(before.get(business), after.get(business))),
  };
}

function secretsOf({ apiKey, callback }: Account): string[] {
  const { tokens, hmacSecret } = callback;
  return [apiKey, ...tokens, ...(hmacSecret === null ? [] : [hmacSecret])];
}
