import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHmacSha256 } from '../../src/pingup/hmac.ts';

/** Secrets below, at and above the block of 64 bytes, which is hashed first. */
const secrets = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(64, 65).map((n) => 'k'.repeat(n)),
);
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));

test('it is the HMAC-SHA256 of node:crypto, whatever the secret and the parts, time after time', () => {
  fc.assert(
    fc.property(
      secrets,
      fc.array(fc.array(bytes, { maxLength: 3 }), { maxLength: 4 }),
      (secret, messages) => {
        const hmac = createHmacSha256(secret);
        for (const parts of messages)
          expect(hmac(...parts)).toBe(
            createHmac('sha256', secret).update(Buffer.concat(parts)).digest('hex'),
          );
      },
    ),
    { numRuns: 1_000 },
  );
});

test('it is the HMAC-SHA256 of RFC 4231, test case 2', () => {
  expect(createHmacSha256('Jefe')(Buffer.from('what do ya want for nothing?'))).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});
