import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Refusal } from '../../src/auth/refusal.ts';
import type { RemoteKeysOptions } from '../../src/auth/remote-keys.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import { fail, hang, type KeyServer, startKeyServer } from '../support/key-server.ts';
import { createSigner, jwtConfig } from '../support/signer.ts';

const log = pino({ level: 'silent' });
const old = await createSigner('ES256', 'old');
const young = await createSigner('ES256', 'young');

function open({ url }: KeyServer, options: Partial<RemoteKeysOptions> = {}): TokenVerifier {
  return createTokenVerifier(jwtConfig(url), { log, ...options });
}

/** `valid`, or why it is not. */
async function verdict(verifier: TokenVerifier, token: string): Promise<string> {
  return verifier.verify(token).then(
    () => 'valid',
    (error) => {
      if (error instanceof Refusal) return error.reason;
      throw error;
    },
  );
}

test('the keys are asked for once, at the start, however many tokens come', async () => {
  await using server = await startKeyServer(old);
  using verifier = open(server);
  const token = await old.sign();
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => verdict(verifier, token)));
  expect(new Set(verdicts)).toEqual(new Set(['valid']));
  expect(server.asked).toBe(1);
});

test('a new key is asked for when a token names it, and not again before the cool-down is over', async () => {
  await using server = await startKeyServer(old);
  using patient = open(server);
  using eager = open(server, { cooldownMs: 0 });
  for (const verifier of [patient, eager]) expect(await verdict(verifier, await old.sign())).toBe('valid');
  server.show(old, young);
  expect(await verdict(patient, await young.sign())).toBe('unknownSigner');
  expect(server.asked).toBe(2);
  expect(await verdict(eager, await young.sign())).toBe('valid');
  expect(await verdict(eager, await old.sign())).toBe('valid');
  expect(server.asked).toBe(3);
});

test('tokens of signers that nobody knows make one question in a cool-down', async () => {
  await using server = await startKeyServer(old);
  using verifier = open(server);
  await verdict(verifier, await old.sign());
  const strangers = Array.from({ length: 100 }, async (_, n) =>
    (await createSigner('ES256', `x${n}`)).sign(),
  );
  const verdicts = await Promise.all((await Promise.all(strangers)).map((token) => verdict(verifier, token)));
  expect(new Set(verdicts)).toEqual(new Set(['unknownSigner']));
  expect(server.asked).toBe(1);
});

test('a key of another signer under a known name opens nothing', async () => {
  await using server = await startKeyServer(old);
  using verifier = open(server);
  expect(await verdict(verifier, await (await createSigner('ES256', 'old')).sign())).toBe('signature');
});

test('a new key comes, and one that is withdrawn goes, without any token that asks for it', async () => {
  await using server = await startKeyServer(old);
  using verifier = open(server, { refreshMs: 10 });
  expect(await verdict(verifier, await old.sign())).toBe('valid');
  server.show(young);
  const token = await old.sign();
  await expect.poll(() => verdict(verifier, token)).toBe('unknownSigner');
  expect(await verdict(verifier, await young.sign())).toBe('valid');
});

test('while the issuer is down, the last known keys go on, and others cannot be told', async () => {
  await using server = await startKeyServer(old);
  using verifier = open(server, { cooldownMs: 0, refreshMs: 10 });
  expect(await verdict(verifier, await old.sign())).toBe('valid');
  server.answer(fail);
  const asked = server.asked;
  await expect.poll(() => server.asked).toBeGreaterThan(asked + 3);
  expect(await verdict(verifier, await old.sign())).toBe('valid');
  expect(await verdict(verifier, await young.sign())).toBe('keysUnavailable');
  server.show(young);
  const token = await young.sign();
  await expect.poll(() => verdict(verifier, token)).toBe('valid');
});

test('an issuer that does not answer holds nobody up for longer than its time, and then nobody at all', async () => {
  await using server = await startKeyServer(old);
  server.answer(hang);
  using verifier = open(server, { timeoutMs: 100 });
  const token = await old.sign();
  const first = await Promise.all(Array.from({ length: 20 }, () => verdict(verifier, token)));
  expect(new Set(first)).toEqual(new Set(['keysUnavailable']));
  expect(await verdict(verifier, token)).toBe('keysUnavailable');
  expect(server.asked).toBe(1);
});

test.each([
  ['a page', '<html></html>'],
  ['no set of keys', '{"keys":7}'],
  ['an empty answer', ''],
])('an issuer that shows %s has no keys to show', async (_what, text) => {
  await using server = await startKeyServer(old);
  server.answer((response) => void response.end(text));
  using verifier = open(server);
  expect(await verdict(verifier, await old.sign())).toBe('keysUnavailable');
});

test('an issuer that sends to another address is not followed', async () => {
  await using other = await startKeyServer(old);
  await using server = await startKeyServer();
  server.answer((response) => void response.writeHead(302, { location: other.url.href }).end());
  using verifier = open(server);
  expect(await verdict(verifier, await old.sign())).toBe('keysUnavailable');
  expect(other.asked).toBe(0);
});

test('a key that is too short is none', async () => {
  const weak = {
    ...old,
    jwk: { kty: 'RSA', kid: 'old', n: Buffer.alloc(128, 255).toString('base64url'), e: 'AQAB' },
  };
  await using server = await startKeyServer(weak);
  using verifier = createTokenVerifier(jwtConfig(server.url, ['RS256']), { log });
  const token = await (await createSigner('RS256', 'old')).sign();
  expect(await verdict(verifier, token)).toBe('signature');
});

test('an issuer that has never shown its keys is asked again without a token, and from then on tokens can be checked', async () => {
  await using server = await startKeyServer(old);
  server.answer(fail);
  using verifier = open(server, { cooldownMs: 100 });
  await expect.poll(() => server.asked).toBeGreaterThan(0);
  expect(verifier.ready).toBe(false);
  server.show(old);
  await expect.poll(() => verifier.ready).toBe(true);
  server.answer(fail);
  expect(await verdict(verifier, await old.sign())).toBe('valid');
  expect(verifier.ready).toBe(true);
});
