import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256: of one length whatever is hashed, so that comparing takes the same time. */
export function digestOf(secret: string | Buffer): Buffer {
  // Through text, which costs a third of a buffer that Node makes for it.
  return Buffer.from(hash('sha256', secret, 'hex'), 'latin1');
}

/** Whether two digests are the same, in a time that does not tell how much of them is, but whether their lengths are. */
export function sameDigest(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
