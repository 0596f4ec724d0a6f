import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { SignatureFormat } from '../config.ts';
import { sameDigest } from './digest.ts';
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
    const hmac = createHmac('sha256', secret);
    if (timestampHeader !== null) {
      const timestamp = textOf(headers[timestampHeader]);
      if (!isRecent(timestamp, now)) return 'timestamp';
      hmac.update(`${timestamp}.`);
    }
    const shown = textOf(headers[header]);
    const signature = shown.startsWith(prefix) ? shown.slice(prefix.length) : '';
    const expected = hmac.update(body).digest(encoding);
    // Hexadecimal digits come in either case.
    const comparable = encoding === 'hex' ? signature.toLowerCase() : signature;
    return sameDigest(bytesOf(expected), bytesOf(comparable)) ? undefined : 'signature';
  };
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
