import { hash } from 'node:crypto';

/** The HMAC-SHA256 of some bytes under one secret, in lower-case hexadecimal digits. */
export type Hmac = (...parts: readonly Buffer[]) => string;

/** Bytes of a block of SHA-256, and of its result. */
const blockSize = 64;
const digestSize = 32;

/**
 * HMAC (RFC 2104) out of two of Node's one-shot hashes. An object of `createHmac` for each callback costs several times
 * as much, most of it when it is collected.
 */
export function createHmacSha256(secret: string): Hmac {
  const bytes = Buffer.from(secret);
  const key = Buffer.alloc(blockSize);
  (bytes.length > blockSize ? hash('sha256', bytes, 'buffer') : bytes).copy(key);
  const inner = Buffer.from(key.map((byte) => byte ^ 0x36));
  const outer = Buffer.concat([key.map((byte) => byte ^ 0x5c)], blockSize + digestSize);

  return (...parts) => {
    outer.write(hash('sha256', Buffer.concat([inner, ...parts]), 'hex'), blockSize, 'hex');
    return hash('sha256', outer, 'hex');
  };
}
