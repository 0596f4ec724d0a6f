import { readFile, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openApiKeys } from '../../src/auth/api-keys.ts';
import { hasExpired } from '../../src/caller.ts';
import { ConfigError } from '../../src/config-error.ts';
import { apiKeyEntry, writeApiKeys } from '../support/api-keys.ts';
import { putPipe, whenRead } from '../support/named-pipe.ts';
import { testWith } from '../support/programs.ts';

const crm = apiKeyEntry('crm-key');
const shop = apiKeyEntry('shop-key', { businesses: '*', scopes: ['messages:read'] });

async function faultsOf(content: unknown): Promise<string> {
  await using file = await writeApiKeys(content);
  try {
    await openApiKeys(file.path);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

test('a key is found by its hash, with what it may do', async () => {
  await using file = await writeApiKeys({ crm: { ...crm, sha256: crm.sha256.toUpperCase() }, shop });
  const keys = await openApiKeys(file.path);
  expect(keys.find(crm.sha256)).toEqual({
    id: 'key crm',
    businesses: new Set(['acme']),
    scopes: new Set(crm.scopes),
    expiresAt: null,
  });
  expect(keys.find(shop.sha256)).toMatchObject({ businesses: null, scopes: new Set(['messages:read']) });
  expect(keys.find(apiKeyEntry('other').sha256)).toBeUndefined();
});

test('read anew, keys come and go, and who has one that is gone or changed has expired', async () => {
  await using file = await writeApiKeys({ crm, shop, ops: apiKeyEntry('ops-key') });
  const keys = await openApiKeys(file.path);
  const [holder, changed, gone] = [crm, shop, apiKeyEntry('ops-key')].map(({ sha256 }) => keys.find(sha256));
  await file.write({ renamed: crm, shop: { ...shop, businesses: ['acme'] }, more: apiKeyEntry('more') });
  await keys.reload();
  expect(keys.find(crm.sha256)).toBe(holder);
  expect(holder?.id).toBe('key renamed');
  expect([holder, changed, gone].map((caller) => caller && hasExpired(caller))).toEqual([false, true, true]);
  expect(keys.find(shop.sha256)).toMatchObject({ businesses: new Set(['acme']), expiresAt: null });
  expect(keys.find(apiKeyEntry('more').sha256)).toBeDefined();
});

testWith(
  'mkfifo',

  'of two reloads at once, the file that was read last stands, however long reading the first takes',
  {},
  async () => {
    await using file = await writeApiKeys({ crm, shop });
    const keys = await openApiKeys(file.path);
    const holder = keys.find(crm.sha256);
    await putPipe(file.path);
    const first = keys.reload();
    const slow = await whenRead(file.path);
    await rm(file.path);
    await file.write({ shop });
    const second = keys.reload();
    // Time enough for the second one to be read, if it did not wait for the first.
    for (let read = 0; read < 20; read += 1) await readFile(file.path);
    await slow.writeFile(JSON.stringify({ crm, shop }));
    await slow.close();
    await Promise.all([first, second]);
    expect(keys.find(crm.sha256)).toBeUndefined();
    expect(holder && hasExpired(holder)).toBe(true);
  },
);

test('a reload that fails does not keep the next one from being read', async () => {
  await using file = await writeApiKeys({ crm });
  const keys = await openApiKeys(file.path);
  await file.write('{');
  const failing = keys.reload();
  await expect(failing).rejects.toThrow(ConfigError);
  await file.write({ shop });
  await keys.reload();
  expect([keys.find(crm.sha256), keys.find(shop.sha256)?.businesses]).toEqual([undefined, null]);
});

test('a file that is wrong changes nothing when it is read anew', async () => {
  await using file = await writeApiKeys({ crm });
  const keys = await openApiKeys(file.path);
  const holder = keys.find(crm.sha256);
  await file.write('{');
  await expect(keys.reload()).rejects.toThrow(ConfigError);
  expect(keys.find(crm.sha256)).toBe(holder);
  expect(holder && hasExpired(holder)).toBe(false);
});

test('all that is wrong with the file is told at once, and nothing of a key', async () => {
  const faults = await faultsOf({
    plain: { ...crm, sha256: 'zqakey-in-the-clear' },
    lost: { sha256: crm.sha256, scopes: ['messages:send', 'everything'], businesses: ['../acme'] },
    none: { ...crm, scopes: [], businesses: [] },
    more: { ...crm, key: 'zqakey' },
    bare: 'zqakey',
    every: { ...crm, businesses: ['acme', '*'] },
  });
  expect(faults.split('\n').slice(1)).toEqual([
    '  - AUTH_API_KEYS_FILE: plain.sha256: expected 64 hexadecimal digits',
    '  - AUTH_API_KEYS_FILE: lost.businesses.0: expected names of businesses, at least one, or "*"',
    '  - AUTH_API_KEYS_FILE: lost.scopes.1: expected one of messages:send, messages:read, operations',
    '  - AUTH_API_KEYS_FILE: none.businesses: expected names of businesses, at least one, or "*"',
    '  - AUTH_API_KEYS_FILE: none.scopes: expected at least one scope',
    '  - AUTH_API_KEYS_FILE: more: expected an object with sha256, businesses and scopes, and nothing else',
    '  - AUTH_API_KEYS_FILE: bare: expected an object with sha256, businesses and scopes, and nothing else',
    '  - AUTH_API_KEYS_FILE: every.businesses.1: expected names of businesses, at least one, or "*"',
  ]);
});

test('one key has one entry', async () => {
  expect(await faultsOf({ crm, again: crm })).toContain('AUTH_API_KEYS_FILE: expected each sha256 once');
});

test('a name that stands twice is told, and neither of its entries is taken', async () => {
  const entry = JSON.stringify(crm);
  expect(await faultsOf(`{"crm":${entry},"crm":${entry}}`)).toContain('crm: expected once, not twice');
});

test.each(['[]', '7', '{', ''])('%j is no file of keys', async (text) => {
  expect(await faultsOf(text)).toMatch(/AUTH_API_KEYS_FILE: .*(expected an object of keys by name|no JSON)/);
});

test('a file that cannot be read is named', async () => {
  await expect(openApiKeys('/nowhere/keys.json')).rejects.toThrow(
    '/nowhere/keys.json cannot be read (ENOENT)',
  );
});
