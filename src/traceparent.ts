import { randomUUID } from 'node:crypto';

/**
 * The trace that a request belongs to (W3C Trace Context, level 1): the caller's own `traceparent` where it is valid,
 * otherwise a new one that nobody has sampled. It always is in version 00.
 */
export function traceparentOf(header: unknown): string {
  return readTraceparent(header) ?? newTraceparent();
}

/** A valid `traceparent`, in version 00; undefined for whatever is none. */
export function readTraceparent(header: unknown): string | undefined {
  const [, version, ids = '', flags = '', more] = typeof header === 'string' ? (form.exec(header) ?? []) : [];
  if (version === undefined || version === 'ff' || allZero.test(ids)) return undefined;
  // Version 00 ends here, and later ones may go on after a hyphen.
  if (version === '00' && more !== '') return undefined;
  return `00-${ids}-${flags}`;
}

/** Version, trace id and parent id together, flags, and what later versions may add. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32}-[0-9a-f]{16})-([0-9a-f]{2})(|-.*)$/;
const allZero = /^0{32}|-0{16}$/;

/** A random UUID is cheaper than as many random bytes. The parent's id needs to be unique in its trace only. */
function newTraceparent(): string {
  const trace = randomUUID().replaceAll('-', '');
  return `00-${trace}-${trace.slice(16)}-00`;
}
