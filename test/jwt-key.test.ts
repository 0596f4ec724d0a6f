import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { algorithmsFor, parsePublicKey, parseSecretKey } from '../src/jwt-key.ts';

function pemOf(key: KeyObject, type: 'spki' | 'pkcs1' | 'pkcs8' = 'spki'): string {
  return String(key.export({ format: 'pem', type }));
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const ed25519 = generateKeyPairSync('ed25519');

test.each<[string, KeyObject, string[]]>([
  ['RSA', rsa.publicKey, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ['P-256', ec('P-256').publicKey, ['ES256']],
  ['P-384', ec('P-384').publicKey, ['ES384']],
  ['P-521', ec('P-521').publicKey, ['ES512']],
  ['Ed25519', ed25519.publicKey, ['EdDSA', 'Ed25519']],
  ['an RSA key that is too short', weak.publicKey, []],
  ['a curve of no algorithm', ec('secp256k1').publicKey, []],
  ['a key to agree on others', generateKeyPairSync('x25519').publicKey, []],
])('%s as PEM or JSON Web Key is for its own algorithms', (_what, key, algorithms) => {
  const pem = pemOf(key);
  const oneLine = pem.replaceAll('\n', '\\n');
  const spellings = [pem, oneLine, ` ${pem}`, JSON.stringify(key.export({ format: 'jwk' }))];
  for (const text of spellings) {
    const parsed = parsePublicKey(text);
    expect(parsed && algorithmsFor(parsed)).toEqual(algorithms);
  }
});

test('an RSA key in the older form is one too', () => {
  expect(parsePublicKey(pemOf(rsa.publicKey, 'pkcs1'))?.equals(rsa.publicKey)).toBe(true);
});

test.each<[string, string]>([
  ['a private key as PEM', pemOf(rsa.privateKey, 'pkcs8')],
  ['a private key in the older form', pemOf(rsa.privateKey, 'pkcs1')],
  ['a private JSON Web Key', JSON.stringify(ed25519.privateKey.export({ format: 'jwk' }))],
  ['a secret as JSON Web Key', '{"kty":"oct","k":"c2VjcmV0"}'],
  ['a broken PEM', '-----BEGIN PUBLIC KEY-----\nMIIB'],
  ['a broken JSON', '{"kty":'],
])('%s is no key to check with, and no secret either', (_what, text) => {
  expect(parsePublicKey(text)).toBeUndefined();
  expect(parseSecretKey(text)).toBeUndefined();
});

test.each([
  [31, []],
  [32, ['HS256']],
  [48, ['HS256', 'HS384']],
  [64, ['HS256', 'HS384', 'HS512']],
])('a secret of %i bytes is for %j', (bytes, algorithms) => {
  const key = parseSecretKey('x'.repeat(bytes));
  expect(key && algorithmsFor(key)).toEqual(algorithms);
});
