import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTimestamp } from '../../src/pingup/timestamp.ts';

const now = Date.UTC(2026, 5, 15);
const instant = Date.UTC(2026, 0, 2, 3, 4, 5);

test.each([
  [instant],
  [instant / 1000],
  [String(instant)],
  [String(instant / 1000)],
  [`${instant / 1000}.000`],
  ['2026-01-02T03:04:05Z'],
  ['2026-01-02T03:04:05.000Z'],
  ['2026-01-02T03:04:05,000z'],
  ['2026-01-02 03:04:05Z'],
  [' 2026-01-02T05:04:05+02:00 '],
  ['2026-01-02T05:04:05+0200'],
])('%s is an instant', (value) => {
  expect(parseTimestamp(value, now)).toBe(instant);
});

test('fractions of a second count', () => {
  expect(parseTimestamp(instant / 1000 + 0.25, now)).toBe(instant + 250);
  expect(parseTimestamp('2026-01-02T03:04:05.250Z', now)).toBe(instant + 250);
});

test.each([
  ['no time zone', '2026-01-02T03:04:05'],
  ['a date alone', '2026-01-02'],
  ['no date of the calendar', '2026-13-02T03:04:05Z'],
  ['words', 'yesterday'],
  ['nothing', ''],
  ['blank', ' '],
  ['a sign', '-1767323045'],
  ['hexadecimal', '0x696733a5'],
  ['null', null],
  ['an object', {}],
  ['a list', [instant]],
  ['true', true],
  ['zero', 0],
  ['before WhatsApp', Date.UTC(2008, 11, 31)],
  ['microseconds', instant * 1000],
  ['more than a day ahead', now + 86_400_001],
])('%s is none', (_case, value) => {
  expect(parseTimestamp(value, now)).toBeUndefined();
});

test('a clock that is up to a day ahead is believed', () => {
  expect(parseTimestamp(now + 86_400_000, now)).toBe(now + 86_400_000);
});

test('every instant since 2009 is read back from ISO 8601, seconds and milliseconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2009, 0, 1), max: now }), (at) => {
      expect(parseTimestamp(at, now)).toBe(at);
      expect(parseTimestamp(new Date(at).toISOString(), now)).toBe(at);
      expect(parseTimestamp(Math.floor(at / 1000), now)).toBe(Math.floor(at / 1000) * 1000);
    }),
  );
});
