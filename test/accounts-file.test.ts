import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AccountRules, parseAccounts, readAccountsFile } from '../src/accounts-file.ts';
import { ConfigError } from '../src/config-error.ts';

const defaults: AccountRules['defaults'] = {
  baseUrl: 'https://api.example/v2',
  limits: { concurrency: 64, maxWaiting: 256, sendsPerSecond: null },
};
const rules: AccountRules = { defaults, allowHttp: false };
const token = 'a-callback-token-of-some-length';
const entry = { apiKey: 'key', callbackTokens: [token] };

function faultsOf(value: unknown): readonly string[] {
  try {
    parseAccounts(typeof value === 'string' ? value : JSON.stringify(value), rules);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

test('an entry of a key and a token is an account, with the defaults for the rest', () => {
  expect(parseAccounts(JSON.stringify({ acme: entry }), rules)).toEqual([
    { business: 'acme', apiKey: 'key', ...defaults, callback: { tokens: [token], hmacSecret: null } },
  ]);
});

test('an entry may say all of it', () => {
  const all = {
    ...entry,
    callbackTokens: [token, `${token}-2`],
    baseUrl: 'https://other.example/v3/',
    limits: { concurrency: 2, queue: 3, sendsPerSecond: 4 },
    callbackHmacSecret: 'a-secret-to-sign-with',
  };
  expect(parseAccounts(JSON.stringify({ acme: all }), rules)).toEqual([
    {
      business: 'acme',
      apiKey: 'key',
      baseUrl: 'https://other.example/v3',
      limits: { concurrency: 2, maxWaiting: 3, sendsPerSecond: 4 },
      callback: { tokens: [token, `${token}-2`], hmacSecret: 'a-secret-to-sign-with' },
    },
  ]);
});

test('all faults come at once, each with its place and what was expected, and none shows what it found', () => {
  const faults = faultsOf({
    acme: { apiKey: 'se cret', callbackTokens: ['hush'], callbackHmacSecret: 'quiet' },
    beta: { apiKey: 'k', callbackTokens: [], baseUrl: 'https://anna:silent@x.example', token: 'mute' },
    gamma: { ...entry, limits: { concurrency: 0, queue: '5', perSecond: 1 } },
    delta: 7,
  });
  const places = faults.map((fault) => /^PINGUP_ACCOUNTS_FILE: (\S+): expected /.exec(fault)?.[1]);
  expect(places.toSorted()).toEqual([
    'acme.apiKey',
    'acme.callbackHmacSecret',
    'acme.callbackTokens[0]',
    'beta',
    'beta.baseUrl',
    'beta.callbackTokens',
    'delta',
    'gamma.limits',
    'gamma.limits.concurrency',
    'gamma.limits.queue',
  ]);
  expect(faults).toContain(
    'PINGUP_ACCOUNTS_FILE: acme.callbackTokens[0]: expected 24 to 256 letters, digits, and . _ ~ -, such as `openssl rand -hex 32`',
  );
  expect(faults.join()).not.toMatch(/se cret|hush|quiet|silent|mute/);
});

test.each([
  ['three tokens', [1, 2, 3].map((n) => `${token}-${n}`)],
  ['one token twice', [token, token]],
  ['a token that is no list', token],
])('%s: refused', (_case, callbackTokens) => {
  expect(faultsOf({ acme: { ...entry, callbackTokens } })).toEqual([
    expect.stringContaining('acme.callbackTokens: expected'),
  ]);
});

test.each(['', '.', '..', '../acme', 'a/b', 'a b', '-a', '__proto__', 'é', 'a%2fb', 'a\n', 'a'.repeat(65)])(
  'the business %j is refused: it must stay in its path segment',
  (business) => {
    const text = `{${JSON.stringify(business)}: ${JSON.stringify(entry)}}`;
    expect(faultsOf(text)).toEqual([
      expect.stringContaining(`${JSON.stringify(business)}: expected as the name`),
    ]);
  },
);

test('a business that is accepted stays in its path segment, whatever it is', () => {
  const unit = fc.constantFrom(...'aZ9.._-', '/', '\\', '%2f', '%', '\0', '\n', ' ', '?', '#', ':', 'é');
  const name = fc.oneof(fc.string({ unit, maxLength: 6 }), fc.string({ unit: 'grapheme', maxLength: 70 }));
  fc.assert(
    fc.property(name, (business) => {
      fc.pre(faultsOf({ [business]: entry }).length === 0);
      const { pathname } = new URL(`https://x.example/ext/v2/${business}/messages`);
      expect(pathname.split('/')).toEqual(['', 'ext', 'v2', business, 'messages']);
    }),
    { numRuns: 2_000 },
  );
});

test('a key that stands twice is refused: only one of them would count', () => {
  const twice = `{"acme": ${JSON.stringify(entry)}, "acme": ${JSON.stringify(entry)}}`;
  expect(faultsOf(twice)).toEqual(['PINGUP_ACCOUNTS_FILE: acme: expected once, not twice']);
});

test.each([
  ['[]', 'expected an object'],
  ['null', 'expected an object'],
  ['{"acme": se cret', 'expected JSON'],
  ['{"acme": "cret" "cret"}', 'expected JSON, but for what stands at line 1 column 17'],
  ['', 'expected JSON'],
])('%j is no accounts file', (text, expected) => {
  const faults = faultsOf(text);
  expect(faults).toEqual([expect.stringContaining(expected)]);
  expect(faults.join()).not.toContain('cret');
});

test('a file that cannot be read is a fault with its reason', async () => {
  await expect(readAccountsFile('/nowhere/accounts.json', rules)).rejects.toThrow(
    'PINGUP_ACCOUNTS_FILE: expected a file that can be read (ENOENT)',
  );
});

test.each([
  'http://pingup.example/v2',
  'http://10.0.0.1:8080',
  'http://localhost.example',
  'http://127.0.0.1.example',
])(
  'the address %s is refused, since the API key would travel in the clear, unless that is allowed',
  (baseUrl) => {
    const text = JSON.stringify({ acme: { ...entry, baseUrl } });
    expect(faultsOf(text)).toEqual([
      expect.stringMatching(
        /^PINGUP_ACCOUNTS_FILE: acme\.baseUrl: expected https, .* PINGUP_ALLOW_HTTP=true$/,
      ),
    ]);
    expect(parseAccounts(text, { ...rules, allowHttp: true })).toMatchObject([{ baseUrl }]);
  },
);

test.each(['http://127.0.0.1:9', 'http://localhost:9/v2', 'http://[::1]:9', 'https://pingup.example'])(
  'the address %s is taken',
  (baseUrl) => {
    const text = JSON.stringify({ acme: { ...entry, baseUrl } });
    expect(parseAccounts(text, rules)).toMatchObject([{ baseUrl }]);
  },
);
