import { createPublicKey } from 'node:crypto';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openAuthenticator } from '../../src/auth/authenticator.ts';
import { maxTokenCharacters } from '../../src/auth/bearer.ts';
import type { AuthConfig } from '../../src/auth-config.ts';
import { GatewayError } from '../../src/errors.ts';
import { apiKeyEntry, writeApiKeys } from '../support/api-keys.ts';
import { fail, startKeyServer } from '../support/key-server.ts';
import { createSigner, jwtConfig, secondsFromNow } from '../support/signer.ts';

const apiKey = 'sk_live.0123456789-abcdefgh_~+/==';
const signer = await createSigner();
const jwt = jwtConfig(createPublicKey(signer.pem));

/** With a log that is kept. */
async function open(config: Partial<AuthConfig>, rememberMs?: number) {
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const options = rememberMs === undefined ? { log } : { log, rememberMs };
  const authenticator = await openAuthenticator({ jwt: null, apiKeysPath: null, ...config }, options);
  return { ...authenticator, logged };
}

async function refusalOf(answer: unknown): Promise<GatewayError> {
  const error = await Promise.resolve(answer).then(
    () => undefined,
    (reason) => reason,
  );
  if (error instanceof GatewayError) return error;
  throw error ?? new Error('it was let in');
}

test('a token and an API key go the same way, and the word before them is without regard to case', async () => {
  await using file = await writeApiKeys({ crm: apiKeyEntry(apiKey) });
  const { authenticate } = await open({ jwt, apiKeysPath: file.path });
  const token = await signer.sign();
  for (const authorization of [`Bearer ${token}`, `bearer  ${token}`, `Bearer ${apiKey}`, `BEARER ${apiKey}`])
    expect(await authenticate(authorization)).toMatchObject({ businesses: new Set(['acme']) });
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, 'missing'],
  ['null', null, 'missing'],
  ['an empty header', '', 'missing'],
  ['no string', { token: 'x' }, 'malformed'],
  ['a list', ['Bearer x.y.z'], 'malformed'],
  ['another scheme', 'Basic YTpi', 'malformed'],
  ['a scheme alone', 'Bearer', 'malformed'],
  ['two tokens', 'Bearer a.b.c, Bearer d.e.f', 'malformed'],
  ['a token without its scheme', await signer.sign(), 'malformed'],
  ['characters that no token has', 'Bearer a.b.ç', 'malformed'],
  ['a line break', 'Bearer a.b.c\n', 'malformed'],
  ['a token that is too long', `Bearer ${'a'.repeat(maxTokenCharacters)}`, 'tooLong'],
  ['an API key that nobody has', 'Bearer sk_live', 'malformed'],
  ['an expired token', `Bearer ${await signer.sign({ exp: 1 })}`, 'expired'],
])(
  '%s is UNAUTHENTICATED, counted and logged by its reason, without a word of it',
  async (_what, shown, reason) => {
    await using file = await writeApiKeys({ crm: apiKeyEntry(apiKey) });
    const { authenticate, refusals, logged } = await open({ jwt, apiKeysPath: file.path });
    expect(await refusalOf(authenticate(shown))).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    expect(Object.entries(refusals).filter(([, count]) => count > 0)).toEqual([[reason, 1]]);
    expect(logged).toHaveLength(1);
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ level: 20, reason });
    if (typeof shown === 'string' && shown.length > 10) expect(logged[0]).not.toContain(shown.slice(8));
  },
);

test('a token that was found valid is known at once, and only until it expires', async () => {
  const { authenticate, refusals } = await open({ jwt });
  const authorization = `Bearer ${await signer.sign({ exp: secondsFromNow(2) })}`;
  const caller = await authenticate(authorization);
  expect(authenticate(authorization)).toBe(caller);
  await expect.poll(() => refusals.expired || refusalOf(authenticate(authorization))).toBe(1);
});

test('tokens are not remembered for longer than they are to be', async () => {
  const { authenticate } = await open({ jwt }, 0);
  const authorization = `Bearer ${await signer.sign()}`;
  await authenticate(authorization);
  expect(authenticate(authorization)).toBeInstanceOf(Promise);
});

test('a token that is not valid is not remembered', async () => {
  await using server = await startKeyServer();
  server.answer(fail);
  const unknown = await open({ jwt: jwtConfig(server.url) });
  const authorization = `Bearer ${await signer.sign()}`;
  for (const _ of [1, 2]) {
    const error = await refusalOf(unknown.authenticate(authorization));
    expect(error).toMatchObject({ code: 'AUTHENTICATION_UNAVAILABLE', retryable: true });
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(30);
  }
  unknown[Symbol.dispose]();
});

test('an API key that is taken back is not taken any more', async () => {
  await using file = await writeApiKeys({ crm: apiKeyEntry(apiKey) });
  const { authenticate, reload } = await open({ apiKeysPath: file.path });
  expect(authenticate(`Bearer ${apiKey}`)).toMatchObject({ expiresAt: null });
  await file.write({});
  await reload();
  expect((await refusalOf(authenticate(`Bearer ${apiKey}`))).message).toBe('The API key is not known.');
});

test('the hash of a key is no key', async () => {
  const { sha256, ...entry } = apiKeyEntry(apiKey);
  await using file = await writeApiKeys({ crm: { ...entry, sha256 } });
  const { authenticate } = await open({ apiKeysPath: file.path });
  expect(await refusalOf(authenticate(`Bearer ${sha256}`))).toMatchObject({ code: 'UNAUTHENTICATED' });
});
