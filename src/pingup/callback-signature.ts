import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import type { SignatureFormat } from '../config.ts';
import { sameDigest } from './digest.ts';
import { createHmacSha256, type Hmac } from './hmac.ts';
import { parseTimestamp } from './timestamp.ts';

/** What is wrong with the signature of a callback, or nothing. */
export type SignatureFault = 'timestamp' | 'signature' | undefined;

/**
 * Checks the signature of a body that came at `now` (ms since the epoch): HMAC-SHA256 with the account's secret, over
 * the raw body, or over `{timestamp}.{body}` where a timestamp is signed.
 */
export type CheckSignature = (
  secret: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
  now: number,
) => SignatureFault;

/** How far a signed timestamp may be from our own clock, either way. */
const maxDriftMs = 5 * 60_000;

export function createSignatureCheck(format: SignatureFormat): CheckSignature {
  const { header, prefix, encoding, timestampHeader } = format;

  return (secret, headers, body, now) => {
    const signed: Buffer[] = [];
    if (timestampHeader !== null) {
      const timestamp = textOf(headers[timestampHeader]);
      if (!isRecent(timestamp, now)) return 'timestamp';
      signed.push(Buffer.from(`${timestamp}.`));
    }
    signed.push(body);
    const shown = textOf(headers[header]);
    const signature = shown.startsWith(prefix) ? shown.slice(prefix.length) : '';
    const expected = hmacOf(secret)(...signed);
    return sameDigest(bytesOf(expected), bytesOf(toHex(signature))) ? undefined : 'signature';
  };

  /** Hexadecimal digits come in either case, and Base64 in one spelling only. */
  function toHex(signature: string): string {
    if (encoding === 'hex') return signature.toLowerCase();
    const bytes = Buffer.from(signature, encoding);
    return bytes.toString(encoding) === signature ? bytes.toString('hex') : '';
  }
}

/** Of the accounts that there are, and a few that there were. */
const hmacs = new LRUCache<string, Hmac>({ max: 10_000, memoMethod: createHmacSha256 });

function hmacOf(secret: string): Hmac {
  return hmacs.memo(secret);
}

/** Of a header, which Node reads as Latin-1. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function isRecent(timestamp: string, now: number): boolean {
  const at = parseTimestamp(timestamp, now);
  return at !== undefined && Math.abs(now - at) <= maxDriftMs;
}

function textOf(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : '';
}
