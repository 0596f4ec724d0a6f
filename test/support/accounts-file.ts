import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An accounts file in a directory of its own. */
export interface AccountsFile extends AsyncDisposable {
  readonly path: string;
  /** Puts others in place of what it holds. */
  write(accounts: unknown): Promise<void>;
}

export async function startAccountsFile(accounts: unknown): Promise<AccountsFile> {
  const directory = await mkdtemp(join(tmpdir(), 'accounts-'));
  const path = join(directory, 'accounts.json');
  const write = (content: unknown) => writeFile(path, JSON.stringify(content));
  await write(accounts);
  return { path, write, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

/** What an accounts file says of a business, with secrets that name it. */
export function entryOf(business: string, more: object = {}) {
  return { apiKey: `key-of-${business}`, callbackTokens: [tokenOf(business)], ...more };
}

export function tokenOf(business: string): string {
  return `a-callback-token-made-for-${business}`;
}
