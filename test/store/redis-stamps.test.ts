import { expect, test } from 'vitest';
import { createStamps, stampLength } from '../../src/store/redis-stamps.ts';

test('stamps are of now, of one length, and grow, also where two makers take turns', () => {
  const makers = [createStamps(), createStamps()];
  const before = Date.now();
  const stamps = Array.from({ length: 1_000 }, (_, index) => {
    // A maker that is asked twice within a microsecond is ahead of the other by then.
    for (const until = performance.now() + 0.002; performance.now() < until; );
    return makers[index % 2]?.() ?? '';
  });
  expect(stamps.toSorted()).toEqual(stamps);
  expect(new Set(stamps).size).toBe(stamps.length);
  for (const stamp of stamps) {
    expect(stamp).toHaveLength(stampLength);
    expect(Math.abs(Number(stamp) / 1_000 - before)).toBeLessThan(1_000);
  }
});
