/** What is not valid is refused, however near it comes: 100,000 tokens and API keys. */
import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type Authenticator, openAuthenticator } from '../../src/auth/authenticator.ts';
import { GatewayError } from '../../src/errors.ts';
import { apiKeyEntry, writeApiKeys } from '../support/api-keys.ts';
import { createSigner, jwtConfig, validClaims } from '../support/signer.ts';

const apiKeys = ['key-of-the-crm-0123456789', 'key-of-the-shop-9876543210'];
const signer = await createSigner('EdDSA');
const stranger = await createSigner('EdDSA');
const valid = await Promise.all(
  [{}, { businesses: '*' }, { aud: ['other', 'pingup-gateway'] }].map((claims) => signer.sign(claims)),
);
const forged = await Promise.all(valid.map((_, n) => stranger.sign({ n })));
const accepted: ReadonlySet<string> = new Set([...valid, ...apiKeys]);

const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.split('');
const written = fc.constantFrom(...base64url, '.', '=', '+', '/', '~');
const genuine = fc.constantFrom(...valid, ...apiKeys);
const part = fc.constantFrom(...[...valid, ...forged].flatMap((token) => token.split('.')), '', 'e30');

/** A genuine one with a piece cut out of it and others put in its place. */
const mutated = fc
  .tuple(genuine, fc.nat(600), fc.nat(3), fc.string({ unit: written, maxLength: 3 }))
  .map(([token, at, length, piece]) => {
    const from = at % (token.length + 1);
    return token.slice(0, from) + piece + token.slice(from + length);
  });

/** The parts of genuine and forged ones, put together anew. */
const patched = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));

/** What nobody signed, with headers and claims of all kinds under a genuine signature. */
const rewritten = fc
  .tuple(
    genuine,
    fc.record(
      {
        alg: fc.constantFrom('none', 'None', 'HS256', 'EdDSA', 'RS256', '', null, 7, ['EdDSA']),
        kid: fc.constantFrom('k1', '../k1', null),
        crit: fc.constantFrom(['exp'], [], 'exp'),
        b64: fc.boolean(),
        typ: fc.constantFrom('JWT', 'JWE'),
        zip: fc.constant('DEF'),
        jwk: fc.constant(stranger.jwk),
      },
      { requiredKeys: [] },
    ),
    fc.oneof(fc.jsonValue(), fc.constant(validClaims())),
  )
  .map(([token, header, claims]) => {
    const signature = token.split('.')[2] ?? '';
    return [header, claims].map(encode).concat(signature).join('.');
  });

const nonsense = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: written, maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.jsonValue(),
);

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** What anybody may send as an authorization, and no valid one. */
const negative = fc
  .oneof(
    { weight: 5, arbitrary: mutated },
    { weight: 2, arbitrary: patched },
    { weight: 2, arbitrary: rewritten },
    { weight: 1, arbitrary: nonsense },
  )
  .filter((token) => !(typeof token === 'string' && accepted.has(token.trim())))
  .map((token) => (typeof token === 'string' ? `Bearer ${token}` : token));

/** Whether it was refused as it should be: `undefined`, or what came instead. */
async function anomalyOf({ authenticate }: Authenticator, authorization: unknown): Promise<unknown> {
  try {
    return { authorization, caller: await authenticate(authorization) };
  } catch (error) {
    const isRefusal = error instanceof GatewayError && error.code === 'UNAUTHENTICATED';
    return isRefusal ? undefined : { authorization, error };
  }
}

test('100,000 mutated, patched, rewritten and nonsensical tokens and keys are refused, each one of them', async () => {
  await using file = await writeApiKeys({
    crm: apiKeyEntry(apiKeys[0] ?? ''),
    shop: apiKeyEntry(apiKeys[1] ?? ''),
  });
  const jwt = jwtConfig(createPublicKey(signer.pem), ['EdDSA', 'Ed25519']);
  using authenticator = await openAuthenticator(
    { jwt, apiKeysPath: file.path },
    { log: pino({ level: 'silent' }) },
  );
  for (const token of accepted) await authenticator.authenticate(`Bearer ${token}`);

  const batch = fc.array(negative, { minLength: 1_000, maxLength: 1_000, size: 'max' });
  const refusedBatch = fc.asyncProperty(batch, async (authorizations) => {
    const anomalies = await Promise.all(authorizations.map((one) => anomalyOf(authenticator, one)));
    expect(anomalies.filter((anomaly) => anomaly !== undefined)).toEqual([]);
  });
  await fc.assert(refusedBatch, { numRuns: 100, endOnFailure: true });

  const counts = Object.values(authenticator.refusals).reduce((sum, count) => sum + count, 0);
  expect(counts).toBe(100_000);
  expect(authenticator.refusals.signature).toBeGreaterThan(10_000);
});
