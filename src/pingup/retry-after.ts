const maxSeconds = 86_400;
/** The two forms of an HTTP date that name their time zone (RFC 9110, 5.6.7). */
const httpDate = /^[A-Z][a-z]{2,8}, .* GMT$/;

/**
 * The seconds to wait that a Retry-After header asks for, from 0 to a day; undefined where there is none or it is
 * unreadable.
 *
 * @param now in milliseconds since the epoch.
 */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^[0-9]+$/.test(header)) return Math.min(Number(header), maxSeconds);
  const date = httpDate.test(header) ? Date.parse(header) : Number.NaN;
  if (Number.isNaN(date)) return undefined;
  return Math.min(Math.max(Math.ceil((date - now) / 1000), 0), maxSeconds);
}
