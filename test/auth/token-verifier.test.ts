import { createPublicKey, createSecretKey } from 'node:crypto';
import { exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Refusal } from '../../src/auth/refusal.ts';
import { clockToleranceSeconds, createTokenVerifier } from '../../src/auth/token-verifier.ts';
import type { JwtConfig } from '../../src/auth-config.ts';
import type { JwtAlgorithm } from '../../src/jwt-key.ts';
import { audience, createSigner, issuer, jwtConfig, secondsFromNow, validClaims } from '../support/signer.ts';

const log = pino({ level: 'silent' });

/** Who shows a token, or why nobody does. */
async function verdict(config: JwtConfig, token: string) {
  using verifier = createTokenVerifier(config, { log });
  return verifier.verify(token).catch((error) => {
    if (error instanceof Refusal) return error.reason;
    throw error;
  });
}

const signer = await createSigner();
const config = jwtConfig(createPublicKey(signer.pem));

test.each<JwtAlgorithm>([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
])('a token signed by %s is who it says, where that is pinned, and refused where it is not', async (alg) => {
  const { pem, sign } = await createSigner(alg);
  const token = await sign();
  const caller = await verdict(jwtConfig(createPublicKey(pem), [alg]), token);
  expect(caller).toEqual({
    id: null,
    businesses: new Set(['acme']),
    scopes: new Set(['messages:send', 'messages:read', 'operations']),
    expiresAt: expect.any(Number),
  });
  const other = alg === 'ES256' ? 'RS256' : 'ES256';
  expect(await verdict(jwtConfig(createPublicKey(pem), [other]), token)).toBe('algorithm');
});

test.each<[JwtAlgorithm, number]>([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
])('a token signed by %s with the secret is taken, and with another it is not', async (alg, bytes) => {
  const sign = (secret: Uint8Array) => new SignJWT(validClaims()).setProtectedHeader({ alg }).sign(secret);
  const secret = new Uint8Array(bytes).fill(7);
  const pinned = jwtConfig(createSecretKey(secret), [alg]);
  expect(await verdict(pinned, await sign(secret))).toMatchObject({ expiresAt: expect.any(Number) });
  expect(await verdict(pinned, await sign(new Uint8Array(bytes).fill(8)))).toBe('signature');
});

test.each<[string, Record<string, unknown>, string]>([
  ['of another issuer', { iss: 'https://other.example' }, 'issuer'],
  ['whose issuer is a longer one', { iss: `${issuer}/` }, 'issuer'],
  ['without an issuer', { iss: undefined }, 'claims'],
  ['for another audience', { aud: 'other' }, 'audience'],
  ['for other audiences', { aud: ['other', `${audience}x`] }, 'audience'],
  ['without an audience', { aud: undefined }, 'claims'],
  ['that has expired', { exp: secondsFromNow(-1) }, 'expired'],
  ['that expired long ago', { exp: 1 }, 'expired'],
  ['that expires at this very second', { exp: secondsFromNow(0) }, 'expired'],
  ['without an expiry', { exp: undefined }, 'claims'],
  ['whose expiry is no number', { exp: String(secondsFromNow(60)) }, 'claims'],
  ['whose time has not come', { nbf: secondsFromNow(clockToleranceSeconds + 5) }, 'notYetValid'],
  ['whose start is no number', { nbf: 'tomorrow' }, 'claims'],
  ['whose expiry is in milliseconds', { exp: secondsFromNow(600) * 1000 }, 'milliseconds'],
  ['that expires after the year 2286', { exp: 1e10 + 1 }, 'milliseconds'],
  ['whose start is in milliseconds', { nbf: Date.now() }, 'notYetValid'],
  ['for every business, in a list', { businesses: ['*'] }, 'claims'],
  ['for every business, among others', { businesses: ['acme', '*'] }, 'claims'],
  ['for every business, among others in a string', { businesses: 'acme *' }, 'claims'],
  ['for every business, twice', { businesses: '* *' }, 'claims'],
  ['whose businesses are no names', { businesses: { acme: true } }, 'claims'],
  ['whose scopes are no names', { scope: ['messages:send', 7] }, 'claims'],
])('a token %s is refused', async (_what, claims, reason) => {
  expect(await verdict(config, await signer.sign(claims))).toBe(reason);
});

test('a token that is for several audiences, ours among them, is taken', async () => {
  const token = await signer.sign({ aud: ['other', audience] });
  expect(await verdict(config, token)).toMatchObject({ businesses: new Set(['acme']) });
});

test('the clock of the issuer may be a little ahead, for nbf alone', async () => {
  const token = await signer.sign({ nbf: secondsFromNow(clockToleranceSeconds - 1) });
  expect(await verdict(config, token)).toMatchObject({ businesses: new Set(['acme']) });
});

test.each<[string, Record<string, unknown>, object]>([
  ['all', { businesses: '*' }, { businesses: null }],
  ['several', { businesses: ['acme', 'umbrella'] }, { businesses: new Set(['acme', 'umbrella']) }],
  ['several, in a string', { businesses: 'acme umbrella' }, { businesses: new Set(['acme', 'umbrella']) }],
  ['none, where it names none', { businesses: undefined }, { businesses: new Set() }],
  ['none, where the list is empty', { businesses: [] }, { businesses: new Set() }],
  ['nothing, where there are no scopes', { scope: undefined }, { scopes: new Set() }],
  [
    'only what its scopes say, of those that mean something here',
    { scope: ['openid', 'messages:read', 'messages', 'MESSAGES:SEND'] },
    { scopes: new Set(['messages:read']) },
  ],
])('a token is good for %s', async (_what, claims, caller) => {
  expect(await verdict(config, await signer.sign(claims))).toMatchObject(caller);
});

test('who shows a token is its subject, as a short hash that another token of theirs has too; without one nobody', async () => {
  const idOf = async (claims: object) => Object(await verdict(config, await signer.sign({ ...claims }))).id;
  const anna = await idOf({ sub: 'anna' });
  expect(anna).toMatch(/^token [\w-]{43}$/);
  expect(await idOf({ sub: 'anna', jti: 'another', scope: [] })).toBe(anna);
  expect(await idOf({ sub: 'a'.repeat(4_000) })).toHaveLength(anna.length);
  expect(await idOf({ sub: 'Anna' })).not.toBe(anna);
  expect([await idOf({}), await idOf({ sub: '' }), await idOf({ sub: 7 })]).toEqual([null, null, null]);
});

test('the claims may have other names', async () => {
  const named = { ...config, businessesClaim: 'https://acme.example/tenants', scopesClaim: 'permissions' };
  const token = await signer.sign({
    'https://acme.example/tenants': ['umbrella'],
    permissions: ['messages:send'],
  });
  expect(await verdict(named, token)).toMatchObject({
    businesses: new Set(['umbrella']),
    scopes: new Set(['messages:send']),
  });
});

test('a token that nobody signed is refused', async () => {
  expect(await verdict(config, new UnsecuredJWT(validClaims()).encode())).toBe('malformed');
  const [, payload] = (await signer.sign()).split('.');
  const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url');
  for (const alg of ['none', 'None', 'NONE', '', undefined, 7]) {
    const answers = await Promise.all(
      ['AA', '.'].map((signature) => verdict(config, `${header({ alg })}.${payload}.${signature}`)),
    );
    expect(answers.every((answer) => answer === 'algorithm' || answer === 'malformed')).toBe(true);
  }
});

test('a public key is no secret to sign with', async () => {
  const { publicKey } = await generateKeyPair('RS256', { extractable: true });
  const pem = await exportSPKI(publicKey);
  const forged = await new SignJWT(validClaims())
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(pem));
  expect(await verdict(jwtConfig(createPublicKey(pem), ['RS256']), forged)).toBe('algorithm');
  expect(await verdict(jwtConfig(createPublicKey(pem), ['RS256', 'HS256']), forged)).toBe('signature');
});

test('a token brings no key of its own, and nothing that must be understood', async () => {
  const stranger = await generateKeyPair('ES256', { extractable: true });
  const sign = (header: object) =>
    new SignJWT(validClaims()).setProtectedHeader({ alg: 'ES256', ...header }).sign(stranger.privateKey);
  const jwk = (await createSigner()).jwk;
  for (const header of [{ jwk }, { jku: 'http://127.0.0.1:9/jwks' }, { x5u: 'http://127.0.0.1:9/' }])
    expect(await verdict(config, await sign(header))).toBe('signature');

  const token = await signer.sign();
  const crit = Buffer.from(JSON.stringify({ alg: 'ES256', crit: ['own'], own: 1 })).toString('base64url');
  expect(await verdict(config, token.replace(/^[^.]+/, crit))).toBe('algorithm');
});

test('one signature is spelled in one way', async () => {
  const { pem, sign } = await createSigner('RS256');
  const pinned = jwtConfig(createPublicKey(pem), ['RS256']);
  const token = await sign();
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const same = digits[digits.indexOf(token.at(-1) ?? '') + 1];
  expect(await verdict(pinned, token)).toMatchObject({ businesses: new Set(['acme']) });
  expect(await verdict(pinned, `${token.slice(0, -1)}${same}`)).toBe('malformed');
  expect(await verdict(pinned, `${token}==`)).toBe('malformed');
});

test.each([
  '',
  '.',
  '..',
  'a.b',
  'a.b.c',
  'a.b.c.d',
  'e30.e30.e30',
  '\u0000.\u0000.\u0000',
  `${'a'.repeat(9)}.`,
])('%j is no token', async (token) => {
  expect(await verdict(config, token)).toBe('malformed');
});
