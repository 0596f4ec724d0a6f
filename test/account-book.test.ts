import { expect, test } from 'vitest';
import { openAccountBook } from '../src/account-book.ts';
import { parseConfig } from '../src/config.ts';
import { ConfigError } from '../src/config-error.ts';
import { entryOf, startAccountsFile } from './support/accounts-file.ts';

const single = {
  PINGUP_API_KEY: 'key',
  PINGUP_BUSINESS_NAME: 'acme',
  CALLBACK_TOKEN: 'the-token-of-the-single-account',
};

function open(path: string, env: Readonly<Record<string, string>> = {}) {
  return openAccountBook(parseConfig({ PINGUP_ACCOUNTS_FILE: path, ...env }).accounts);
}

async function faultsOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error = await work.catch((reason: unknown) => reason);
  if (error instanceof ConfigError) return error.faults;
  throw new Error(`expected a ConfigError, not ${String(error)}`);
}

test('the accounts of the variables and of the file are all there, in the order of their names', async () => {
  await using file = await startAccountsFile({ zeta: entryOf('zeta'), beta: entryOf('beta') });
  const book = await open(file.path, single);
  expect(book.businesses()).toEqual(['acme', 'beta', 'zeta']);
  expect(book.find('acme')?.apiKey).toBe('key');
  expect(book.find('beta')?.apiKey).toBe('key-of-beta');
  expect(book.find('nobody')).toBeUndefined();
});

test('without an account there is the sandbox’s alone, and with a file there is no sandbox', async () => {
  const config = parseConfig({});
  expect(config.sandbox).toEqual({ stepMs: 2_000 });
  expect((await openAccountBook(config.accounts)).businesses()).toEqual(['sandbox']);
  await using file = await startAccountsFile({ beta: entryOf('beta') });
  expect(parseConfig({ PINGUP_ACCOUNTS_FILE: file.path }).sandbox).toBeNull();
  expect((await open(file.path)).businesses()).toEqual(['beta']);
});

test('a business in both places, a token of two businesses, and no business at all are faults', async () => {
  await using both = await startAccountsFile({ acme: entryOf('acme') });
  expect(await faultsOf(open(both.path, single))).toEqual([
    'PINGUP_ACCOUNTS_FILE: acme: expected another business than PINGUP_BUSINESS_NAME',
  ]);
  const shared = { callbackTokens: ['a-callback-token-made-for-beta', single.CALLBACK_TOKEN] };
  await using sharing = await startAccountsFile({ beta: entryOf('beta'), zeta: entryOf('zeta', shared) });
  const faults = await faultsOf(open(sharing.path, single));
  expect(faults).toEqual([
    'PINGUP_ACCOUNTS_FILE: zeta.callbackTokens[0]: expected another token than beta has',
    'PINGUP_ACCOUNTS_FILE: zeta.callbackTokens[1]: expected another token than acme has',
  ]);
  await using empty = await startAccountsFile({});
  expect(await faultsOf(open(empty.path))).toEqual(['PINGUP_ACCOUNTS_FILE: expected one business at least']);
  expect((await open(empty.path, single)).businesses()).toEqual(['acme']);
});

test('another file is told by what came, went and changed', async () => {
  await using file = await startAccountsFile({ a: entryOf('a'), b: entryOf('b'), c: entryOf('c') });
  const book = await open(file.path);
  await file.write({ b: entryOf('b', { apiKey: 'another' }), c: entryOf('c'), d: entryOf('d') });
  expect(await book.reload()).toEqual({ added: ['d'], removed: ['a'], changed: ['b'] });
  expect(book.businesses()).toEqual(['b', 'c', 'd']);
  expect(await book.reload()).toEqual({ added: [], removed: [], changed: [] });
});

test('of a faulty file nothing is taken', async () => {
  await using file = await startAccountsFile({ a: entryOf('a') });
  const book = await open(file.path);
  await file.write({
    a: entryOf('a', { apiKey: 'another' }),
    b: entryOf('b', { callbackTokens: ['short'] }),
  });
  expect(await faultsOf(book.reload())).toHaveLength(1);
  expect([book.businesses(), book.find('a')?.apiKey]).toEqual([['a'], 'key-of-a']);
});

test('of several reloads at once, the last one stands', async () => {
  await using file = await startAccountsFile({ a: entryOf('a') });
  const book = await open(file.path);
  await file.write({ b: entryOf('b') });
  const reloads = Array.from({ length: 20 }, () => book.reload());
  expect(await Promise.all(reloads)).toMatchObject([{ added: ['b'] }, ...Array(19).fill({ added: [] })]);
});

test('what was a secret once stays one', async () => {
  await using file = await startAccountsFile({
    a: entryOf('a', { callbackHmacSecret: 'a-secret-to-sign-with' }),
  });
  const book = await open(file.path);
  await file.write({ b: entryOf('b') });
  await book.reload();
  expect(book.secrets()).toEqual([
    'key-of-a',
    'a-callback-token-made-for-a',
    'a-secret-to-sign-with',
    'key-of-b',
    'a-callback-token-made-for-b',
  ]);
});
