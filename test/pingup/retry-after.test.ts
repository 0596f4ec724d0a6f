import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/pingup/retry-after.ts';

const now = Date.UTC(2026, 0, 2, 3, 4, 5);

test.each([
  ['0', 0],
  ['120', 120],
  ['86401', 86_400],
  ['9'.repeat(400), 86_400],
  ['Fri, 02 Jan 2026 03:05:05 GMT', 60],
  ['Friday, 02-Jan-26 03:05:05 GMT', 60],
  ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
  ['Fri, 02 Jan 2099 03:00:00 GMT', 86_400],
])('%s is %i seconds', (header, seconds) => {
  expect(parseRetryAfter(header, now)).toBe(seconds);
});

test.each([null, '', ' ', '-1', '1.5', '1e3', 'soon', '2026-01-02', 'Fri, 99 Foo 2026 03:05:05 GMT'])(
  '%s says nothing',
  (header) => {
    expect(parseRetryAfter(header, now)).toBeUndefined();
  },
);

test('whatever the header, it is a whole number from 0 to a day, or nothing', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      const seconds = parseRetryAfter(header, now) ?? 0;
      return Number.isInteger(seconds) && seconds >= 0 && seconds <= 86_400;
    }),
  );
});
