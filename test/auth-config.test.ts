import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { authSecrets } from '../src/auth-config.ts';
import { parseConfig } from '../src/config.ts';
import { ConfigError } from '../src/config-error.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = String(publicKey.export({ format: 'pem', type: 'spki' }));
const privatePem = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
const pinned = { AUTH_JWT_ISSUER: 'https://issuer.example', AUTH_JWT_AUDIENCE: 'pingup-gateway' };
const jwks = { ...pinned, AUTH_JWKS_URL: 'https://issuer.example/jwks?tenant=acme' };
const secret = 'zqsecret'.repeat(4);

function faultsOf(env: Record<string, string>): string[] {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return [...error.faults];
    throw error;
  }
}

function authOf(env: Record<string, string>) {
  return parseConfig(env).auth;
}

test.each(['127.0.0.1', '127.8.8.8', 'localhost', '::1'])(
  'on %s nobody is asked, unless auth is set up',
  (HOST) => {
    expect(authOf({ HOST })).toBeNull();
    expect(authOf({ HOST, AUTH: 'none' })).toBeNull();
    expect(authOf({ HOST, ...jwks })).not.toBeNull();
  },
);

test.each(['0.0.0.0', '::', '10.0.0.1', 'gateway.example', '127.0.0.1.example'])(
  'on %s the gateway does not start unless auth is set up, or waived in so many words',
  (HOST) => {
    expect(faultsOf({ HOST })).toEqual([
      expect.stringMatching(/^AUTH: HOST is no loopback address: expected AUTH_/),
    ]);
    expect(authOf({ HOST, AUTH: 'none' })).toBeNull();
    expect(authOf({ HOST, ...jwks })).not.toBeNull();
    expect(authOf({ HOST, AUTH_API_KEYS_FILE: 'keys.json' })).toEqual({
      jwt: null,
      apiKeysPath: 'keys.json',
    });
  },
);

test.each(['127.0.0.1', '::1', 'localhost', undefined])(
  'under NODE_ENV=production the gateway does not start on %s unless auth is set up, or waived in so many words',
  (host) => {
    const account = {
      PINGUP_API_KEY: 'key',
      PINGUP_BUSINESS_NAME: 'acme',
      CALLBACK_TOKEN: 'a-token-of-24-characters',
    };
    const production = { NODE_ENV: 'production', ...account, ...(host && { HOST: host }) };
    expect(faultsOf(production)).toEqual([
      expect.stringMatching(/^AUTH: NODE_ENV is production: expected AUTH_.*, or AUTH=none/),
    ]);
    expect(authOf({ ...production, AUTH: 'none' })).toBeNull();
    expect(authOf({ ...production, ...jwks })).not.toBeNull();
    expect(authOf({ ...production, NODE_ENV: 'development' })).toBeNull();
  },
);

test('AUTH=required takes something to check', () => {
  expect(faultsOf({ AUTH: 'required' })).toEqual([expect.stringContaining('required with AUTH=required')]);
  expect(authOf({ AUTH: 'required', ...jwks })).not.toBeNull();
});

test('AUTH=none goes with nothing that would be ignored', () => {
  expect(faultsOf({ AUTH: 'none', ...jwks })).toContainEqual(
    expect.stringContaining('AUTH_JWKS_URL: expected to be unset with AUTH=none'),
  );
});

test('a JWKS address takes the algorithms of today, an issuer and an audience', () => {
  expect(authOf(jwks)?.jwt).toEqual({
    keys: new URL(jwks.AUTH_JWKS_URL),
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    issuer: pinned.AUTH_JWT_ISSUER,
    audience: pinned.AUTH_JWT_AUDIENCE,
    businessesClaim: 'businesses',
    scopesClaim: 'scope',
  });
  expect(authOf({ ...jwks, AUTH_JWT_ALGORITHMS: 'ES384, PS256' })?.jwt?.algorithms).toEqual([
    'ES384',
    'PS256',
  ]);
});

test('a key takes the usual algorithm of its kind', () => {
  expect(authOf({ ...pinned, AUTH_JWT_KEY: pem })?.jwt?.algorithms).toEqual(['ES256']);
  expect(authOf({ ...pinned, AUTH_JWT_KEY: pem.replaceAll('\n', '\\n') })?.jwt?.algorithms).toEqual([
    'ES256',
  ]);
});

test('a secret is one only where an algorithm says so', () => {
  const env = { ...pinned, AUTH_JWT_KEY: secret };
  const auth = authOf({ ...env, AUTH_JWT_ALGORITHMS: 'HS256' });
  expect(auth?.jwt?.algorithms).toEqual(['HS256']);
  expect(authSecrets(auth)).toEqual([secret]);
  expect(faultsOf(env)).toEqual([expect.stringMatching(/^AUTH_JWT_KEY: expected a public key .*, a secret/)]);
});

test.each<[string, Record<string, string>, string]>([
  [
    'a key without an issuer',
    { AUTH_JWT_KEY: pem, AUTH_JWT_AUDIENCE: 'a' },
    'AUTH_JWT_ISSUER: required with AUTH_JWT_KEY',
  ],
  [
    'a key without an audience',
    { AUTH_JWT_KEY: pem, AUTH_JWT_ISSUER: 'i' },
    'AUTH_JWT_AUDIENCE: required with AUTH_JWT_KEY',
  ],
  [
    'an issuer without keys',
    { AUTH_JWT_ISSUER: 'i' },
    'AUTH_JWKS_URL or AUTH_JWT_KEY: required with AUTH_JWT_ISSUER',
  ],
  [
    'two sources of keys',
    { ...jwks, AUTH_JWT_KEY: pem },
    'AUTH_JWT_KEY: expected to be unset with AUTH_JWKS_URL',
  ],
  [
    'keys in the clear',
    { ...jwks, AUTH_JWKS_URL: 'http://issuer.example/jwks' },
    'AUTH_JWKS_URL: expected an https address',
  ],
  [
    'credentials in the address',
    { ...jwks, AUTH_JWKS_URL: 'https://u:p@issuer.example' },
    'AUTH_JWKS_URL: expected an https address',
  ],
  ['no algorithm', { ...jwks, AUTH_JWT_ALGORITHMS: 'none' }, 'AUTH_JWT_ALGORITHMS: expected some of RS256'],
  [
    'an algorithm that is none',
    { ...jwks, AUTH_JWT_ALGORITHMS: 'RS256,toString' },
    'AUTH_JWT_ALGORITHMS: expected some of RS256',
  ],
  [
    'a secret in a JWKS',
    { ...jwks, AUTH_JWT_ALGORITHMS: 'RS256,HS256' },
    'AUTH_JWT_ALGORITHMS: expected none with a secret',
  ],
  [
    'an algorithm of another key',
    { ...pinned, AUTH_JWT_KEY: pem, AUTH_JWT_ALGORITHMS: 'RS256' },
    'AUTH_JWT_ALGORITHMS: RS256 does not go with AUTH_JWT_KEY, which is for ES256',
  ],
  [
    'a public key as a secret',
    { ...pinned, AUTH_JWT_KEY: pem, AUTH_JWT_ALGORITHMS: 'ES256,HS256' },
    'AUTH_JWT_ALGORITHMS: HS256 does not go with AUTH_JWT_KEY',
  ],
  [
    'a short secret',
    { ...pinned, AUTH_JWT_KEY: secret.slice(1), AUTH_JWT_ALGORITHMS: 'HS256' },
    'AUTH_JWT_KEY: expected a public key',
  ],
  [
    'a secret that is short for its algorithm',
    { ...pinned, AUTH_JWT_KEY: secret, AUTH_JWT_ALGORITHMS: 'HS512' },
    'AUTH_JWT_ALGORITHMS: HS512 does not go with AUTH_JWT_KEY, which is for HS256',
  ],
  ['a private key', { ...pinned, AUTH_JWT_KEY: privatePem }, 'AUTH_JWT_KEY: expected a public key'],
  ['another mode', { AUTH: 'off' }, 'AUTH: expected none or required, not "off"'],
  ['a name that is none', { AUTH_JWT_SECRET: secret }, 'AUTH_JWT_SECRET: no such variable'],
])('%s is refused, without a word of a secret', (_what, env, fault) => {
  const faults = faultsOf(env);
  expect(faults).toContainEqual(expect.stringContaining(fault));
  expect(faults.join('\n')).not.toMatch(/zqsecret|PRIVATE|MI[GH]/);
});

test('a JWKS address on this machine may be in the clear', () => {
  expect(faultsOf({ ...jwks, AUTH_JWKS_URL: 'http://127.0.0.1:8080/jwks' })).toEqual([]);
  expect(faultsOf({ ...jwks, AUTH_JWKS_URL: 'http://[::1]:8080/jwks' })).toEqual([]);
});

test('all that is wrong comes at once', () => {
  const faults = faultsOf({ HOST: '0.0.0.0', PORT: 'x', AUTH_JWT_KEY: 'x', AUTH_JWT_ALGORITHMS: 'HS256' });
  expect(faults.map((fault) => fault.split(':')[0])).toEqual([
    'PORT',
    'AUTH_JWT_ISSUER',
    'AUTH_JWT_AUDIENCE',
    'AUTH_JWT_KEY',
  ]);
});
