import { hash, timingSafeEqual } from 'node:crypto';

/** SHA-256: of one length whatever is hashed, so that comparing takes the same time. */
export function digestOf(secret: string | Buffer): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** Whether two digests are the same, in a time that does not tell how much of them is. */
export function sameDigest(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b);
}
