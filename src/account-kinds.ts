import { z } from 'zod';
import { businessPattern } from './account.ts';
import { isLoopback } from './loopback.ts';

/**
 * What the parts of an account may be, alike in the environment and in the accounts file. The text of each fault says
 * what was expected, and shows nothing of what was found.
 */
export function apiKey() {
  return text(/^[\x21-\x7e]+$/, 'visible ASCII characters without blanks');
}

export function businessName() {
  return text(businessPattern, businessExpected);
}

export const businessExpected =
  '1 to 64 letters, digits, dots, underscores and hyphens, a letter or digit first';

export function callbackToken() {
  const expected = '24 to 256 letters, digits, and . _ ~ -, such as `openssl rand -hex 32`';
  return text(/^[A-Za-z0-9._~-]{24,256}$/, expected);
}

export function hmacSecret() {
  return text(/^[\x20-\x7e]{16,256}$/, '16 to 256 printable ASCII characters');
}

/** Without the slashes at its end. */
export function httpAddress() {
  return plainHttpAddress().transform((value) => value.replace(/\/+$/, ''));
}

/** As it is. */
export function plainHttpAddress() {
  const expected = 'an http or https address without query, blanks or credentials';
  return z.string(expected).refine(isPlainHttpAddress, expected);
}

export const confidentialAddressExpected =
  'https, since what is sent there would travel in the clear; http only on loopback, or with PINGUP_ALLOW_HTTP=true';

/** Whether what is sent to an http or https address is out of sight of the network. */
export function isConfidentialAddress(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || isLoopback(hostname);
}

/** The least and the most of each. */
export const limitBounds = {
  concurrency: [1, 1_024],
  queue: [1, 10_000],
  sendsPerSecond: [1, 10_000],
} as const;

function text(pattern: RegExp, expected: string) {
  return z.string(expected).regex(pattern, expected);
}

function isPlainHttpAddress(value: string): boolean {
  const url = URL.parse(value);
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username === '' && !/[\s?#]|:\/\/[^/]*@/.test(value)
  );
}
