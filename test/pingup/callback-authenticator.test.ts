import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SignatureFormat } from '../../src/config.ts';
import {
  type CallbackAuthenticator,
  createCallbackAuthenticator,
  type SourcedHead,
} from '../../src/pingup/callback-authenticator.ts';
import { accountOf, accountsOf, token, usualSignature } from './support/callback-peer.ts';

const now = Date.UTC(2026, 5, 15);
const secret = 'a-secret-to-sign-with';
const previous = 'the-token-of-before-the-change';
const acme = accountOf('acme', { tokens: [token, previous], hmacSecret: secret });
const beta = accountOf('beta', { tokens: ['another-token-for-another-one'] });
const body = Buffer.from('{"message_id":"id-1","status":"read"}');

function authenticator(signature: Partial<SignatureFormat> = {}): CallbackAuthenticator {
  return createCallbackAuthenticator({
    accounts: accountsOf(acme, beta),
    proof: { tokenHeader: 'x-token', signature: { ...usualSignature, ...signature } },
    allowsAddress: () => true,
  });
}

function head(path: string, headers: SourcedHead['headers'] = {}): SourcedHead {
  const rawHeaders = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { path, headers, rawHeaders: rawHeaders.flat(), address: '192.0.2.1' };
}

function sign(content: string | Buffer, encoding: 'hex' | 'base64' = 'hex', key = secret): string {
  return createHmac('sha256', key).update(content).digest(encoding);
}

/** A change to a text that leaves another one. */
function changed(text: string): fc.Arbitrary<string> {
  const place = fc.nat(text.length - 1);
  const character = fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 });
  return fc
    .oneof(
      fc.tuple(place, character).map(([at, instead]) => text.slice(0, at) + instead + text.slice(at + 1)),
      fc.tuple(place, character).map(([at, more]) => text.slice(0, at) + more + text.slice(at)),
      place.map((length) => text.slice(0, length)),
      place.map((at) => text.slice(0, at) + text.slice(at + 1)),
      character.map((more) => text + more),
      fc.constantFrom(text.toUpperCase(), `${text}/`, `${text}\0`, `${text},${text}`, ` ${text}`, ''),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary-ascii', minLength: text.length, maxLength: text.length }),
    )
    .filter((other) => other !== text);
}

test('34,000 tokens that are none are refused, wherever they are shown and whatever the business', {
  timeout: 40_000,
}, () => {
  const { admit } = authenticator();
  const tokens = [token, previous, 'another-token-for-another-one'];
  const wrong = fc.oneof(...tokens.map(changed)).filter((text) => !tokens.includes(text));
  // Their token opens that business's door, and no other one.
  const foreign = fc.constantFrom<readonly [string, string]>(
    ['acme', tokens[2] ?? ''],
    ['beta', token],
    ['beta', previous],
    ['nobody', token],
    ['__proto__', token],
    ['', token],
    ['ACME', token],
  );
  const guess = fc.oneof(fc.tuple(fc.constantFrom('acme', 'beta', 'nobody', 'toString'), wrong), foreign);
  const place = fc.constantFrom<(business: string, shown: string) => SourcedHead>(
    (business, shown) => head(`${business}/${shown}`),
    (business, shown) => head(business, { authorization: `Bearer ${shown}` }),
    (business, shown) => head(business, { 'x-token': shown }),
    (business, shown) => head(`${business}/${shown || '-'}`, { 'x-token': token }),
    (business, shown) => head(business, { 'x-token': shown || '-', authorization: `Bearer ${token}` }),
    (business, shown) => head(business, { authorization: `Basic ${shown}` }),
  );
  let refused = 0;
  fc.assert(
    fc.property(place, guess, (show, [business, shown]) => {
      // HTTP takes blanks around a header's value away.
      fc.pre(
        !tokens.includes(shown.trim()) || !['acme', 'beta'].includes(business) || shown === shown.trim(),
      );
      expect(admit(show(business, shown))).toEqual({ failed: 'token', business: null });
      refused += 1;
    }),
    { numRuns: 34_000 },
  );
  expect(refused).toBeGreaterThanOrEqual(34_000);
});

test('34,000 signatures that do not fit are refused: another body, key, time, prefix, encoding, or none', {
  timeout: 40_000,
}, () => {
  const timestamp = String(now / 1000);
  const formats = (['hex', 'base64'] as const).flatMap((encoding) =>
    ['', 'sha256='].map((prefix) => ({ encoding, prefix, timestampHeader: 'x-time' })),
  );
  const cases = formats.map((format) => {
    const right = format.prefix + sign(Buffer.concat([Buffer.from(`${timestamp}.`), body]), format.encoding);
    const other = (content: string, key?: string) => format.prefix + sign(content, format.encoding, key);
    const { verify } = authenticator(format);
    const isRight = (text: string) =>
      format.encoding === 'hex'
        ? text.startsWith(format.prefix) && text.toLowerCase() === right
        : text === right;
    const wrong = fc.oneof(
      changed(right),
      fc.string({ maxLength: 40 }).map((key) => other(`${timestamp}.${body}`, `${key}!`)),
      fc.uint8Array().map((bytes) => other(`${timestamp}.${Buffer.from(bytes).toString('latin1')}`)),
      fc.constantFrom(
        other(String(body)),
        other(`${timestamp}${body}`),
        right.slice(format.prefix.length + 1),
      ),
    );
    return wrong.filter((text) => !isRight(text)).map((signature) => ({ verify, signature, sent: body }));
  });
  const anothersBody = formats.map((format) => {
    const right = format.prefix + sign(`${timestamp}.${body}`, format.encoding);
    const { verify } = authenticator(format);
    const bodies = fc.oneof(
      changed(String(body)).map((text) => Buffer.from(text)),
      fc.uint8Array().map(Buffer.from),
    );
    return bodies.filter((bytes) => !bytes.equals(body)).map((sent) => ({ verify, signature: right, sent }));
  });
  const sender = { account: acme, headers: {} };
  fc.assert(
    fc.property(fc.oneof(...cases, ...anothersBody), ({ verify, signature, sent }) => {
      const headers = { 'x-signature': signature, 'x-time': timestamp };
      expect(verify({ ...sender, headers }, sent, now)).toEqual({ failed: 'signature', business: 'acme' });
    }),
    { numRuns: 34_000 },
  );
});

test('what is signed with the secret is authentic, whatever its bytes, prefix and encoding, hexadecimal in either case', () => {
  const format = fc.record({
    encoding: fc.constantFrom('hex' as const, 'base64' as const),
    prefix: fc.constantFrom('', 'sha256=', 'v1,'),
    timed: fc.boolean(),
    upper: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), format, (text, { encoding, prefix, timed, upper }) => {
      fc.pre(text.isWellFormed());
      const bytes = Buffer.from(text);
      const timestamp = String(now);
      const signature = sign(Buffer.concat([Buffer.from(timed ? `${timestamp}.` : ''), bytes]), encoding);
      const shown = prefix + (upper && encoding === 'hex' ? signature.toUpperCase() : signature);
      const { verify } = authenticator({ encoding, prefix, timestampHeader: timed ? 'x-time' : null });
      const headers = { 'x-signature': shown, 'x-time': timestamp };
      // A byte order mark is no part of the text.
      const expected = { business: 'acme', text: text.replace(/^\ufeff/, '') };
      expect(verify({ account: acme, headers }, bytes, now)).toEqual(expected);
    }),
    { numRuns: 2_000 },
  );
});

test('a signed time holds for 5 minutes either way, in seconds, milliseconds or ISO 8601', () => {
  const { verify } = authenticator({ timestampHeader: 'x-time' });
  function at(timestamp: string | undefined): unknown {
    const signature = sign(`${timestamp}.${body}`);
    const headers = { 'x-signature': signature, ...(timestamp !== undefined && { 'x-time': timestamp }) };
    const verdict = verify({ account: acme, headers }, body, now);
    return verdict && 'failed' in verdict ? verdict.failed : 'authentic';
  }
  const minutes = (count: number) => now + count * 60_000;
  for (const instant of [now, minutes(5), minutes(-5)]) {
    expect(at(String(instant))).toBe('authentic');
    expect(at(String(instant / 1000))).toBe('authentic');
    expect(at(new Date(instant).toISOString())).toBe('authentic');
  }
  for (const instant of [minutes(5) + 1, minutes(-5) - 1, minutes(60 * 48), 0, -now])
    expect(at(String(instant))).toBe('timestamp');
  for (const none of ['', 'now', 'NaN', '0x1', `${now}.`, undefined]) expect(at(none)).toBe('timestamp');
});

test('an account without a secret asks for no signature, and looks at none', () => {
  const { verify } = authenticator({ timestampHeader: 'x-time' });
  const headers = { 'x-signature': 'nonsense', 'x-time': 'never' };
  expect(verify({ account: beta, headers }, body, now)).toEqual({ business: 'beta', text: String(body) });
});

test('what is not UTF-8 is no text, and that is found out after the signature', () => {
  const { verify } = authenticator();
  const bytes = Buffer.from([0x22, 0xff, 0x22]);
  const signed = { account: acme, headers: { 'x-signature': sign(bytes) } };
  expect(verify(signed, bytes, now)).toBeUndefined();
  expect(verify({ ...signed, headers: {} }, bytes, now)).toEqual({ failed: 'signature', business: 'acme' });
});

test('a wrong token of a business that there is takes no longer to refuse than one of a business that there is not', () => {
  const { admit } = authenticator();
  const wrong = 'x'.repeat(token.length);
  const rounds = 2_000;
  function timeOf(path: string): number {
    const startedAt = performance.now();
    for (let round = 0; round < rounds; round += 1) admit(head(path));
    return performance.now() - startedAt;
  }
  const known: number[] = [];
  const unknown: number[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    known.push(timeOf(`acme/${wrong}`));
    unknown.push(timeOf(`nobody/${wrong}`));
  }
  const ratio = Math.min(...known) / Math.min(...unknown);
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});
