/** WhatsApp is not older. */
const earliest = Date.UTC(2009, 0, 1);
const dayMs = 86_400_000;
/** Numbers below are seconds since the epoch (until the year 5138), from here on milliseconds (from 1973). */
const firstMilliseconds = 1e11;
/** ISO 8601 with its time zone: without one, it could mean 26 different instants. */
const isoInstant = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)$/i;

/**
 * A provider's timestamp as milliseconds since the epoch: ISO 8601 with a time zone, or seconds or milliseconds since
 * the epoch as a number or its digits. Undefined where it is unreadable or absurd, which is before WhatsApp was, or
 * more than a day after `now`.
 */
export function parseTimestamp(value: unknown, now: number): number | undefined {
  const time = Math.floor(typeof value === 'string' ? parseText(value.trim()) : parseNumber(value));
  return time >= earliest && time <= now + dayMs ? time : undefined;
}

function parseText(text: string): number {
  if (/^\d{1,16}(\.\d{1,9})?$/.test(text)) return parseNumber(Number(text));
  return isoInstant.test(text) ? Date.parse(text.replace(',', '.')) : Number.NaN;
}

function parseNumber(value: unknown): number {
  if (typeof value !== 'number') return Number.NaN;
  return value < firstMilliseconds ? value * 1000 : value;
}
