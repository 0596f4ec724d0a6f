import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Account, Accounts } from '../account.ts';
import { digestOf, sameDigest } from './digest.ts';

/** What a callback shows before its body. */
export interface CallbackHead {
  /** Of its address, what follows `/callbacks/pingup/`, decoded: `{business}` or `{business}/{token}`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** The account of the business that a callback names, where it shows one of that account's tokens. */
export type AccountByToken = (head: CallbackHead) => Account | undefined;

/**
 * A token is looked for in the address, then in the header `tokenHeader`, then in `Authorization: Bearer`: the first
 * of these that holds one decides. A business that there is not takes as long as a wrong token, and one token as long
 * as two.
 */
export function createAccountByToken(accounts: Accounts, tokenHeader: string | null): AccountByToken {
  const digests = new WeakMap<Account, readonly Buffer[]>();

  function digestsFor(account: Account): readonly Buffer[] {
    const known = digests.get(account) ?? twoDigests(account.callback.tokens);
    digests.set(account, known);
    return known;
  }

  return ({ path, headers }) => {
    const [business = '', inAddress] = splitOnce(path);
    const shown = inAddress || tokenIn(headers, tokenHeader) || bearerIn(headers) || '';
    const account = accounts.find(business);
    const expected = account ? digestsFor(account) : nobodys;
    const digest = digestOf(shown);
    // Not `some`, which would stop at the first.
    const matches = expected.filter((known) => sameDigest(known, digest));
    return matches.length > 0 ? account : undefined;
  };
}

/** What no token has. */
const nobodys = twoDigests([]);

function twoDigests(tokens: readonly string[]): readonly Buffer[] {
  return [0, 1].map((place) => digestOf(tokens[place] ?? randomBytes(32)));
}

function splitOnce(path: string): readonly [string, string?] {
  const slash = path.indexOf('/');
  return slash === -1 ? [path] : [path.slice(0, slash), path.slice(slash + 1)];
}

function tokenIn(headers: IncomingHttpHeaders, name: string | null): string | undefined {
  const value = name === null ? undefined : headers[name];
  return typeof value === 'string' ? value : undefined;
}

function bearerIn({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
}
