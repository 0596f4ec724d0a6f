import { expect, test } from 'vitest';
import { placeOfMessage } from '../../src/store/redis-keys.ts';
import { partitionCount, partitionOf, slotsOfTags, tags } from '../../src/store/redis-partitions.ts';

test('no release may put a key elsewhere than those before it did', () => {
  expect(tags.join(' ')).toBe(
    '14 281 117 703 29 21 1091 122 184 761 87 212 679 671 227 302 109 101 297 472 134 1087 37 562 99 91 777 ' +
      '192 239 231 667 742 712 637 261 269 602 727 1 9 532 67 781 164 52 507 151 159 352 277 621 629 242 367 ' +
      '731 614 172 797 71 79 1619 147 511 44',
  );
  const texts = ['acme/1', 'acme/69778277350583277083794900891', 'b/\u{1f600}', ''];
  expect(texts.map(partitionOf)).toEqual([41, 45, 50, 25]);
  expect(placeOfMessage({ business: 'acme', id: 'a"\u0000\ud800' }).key).toBe(
    'pingup:1:{511}:m:acme/a\\"\\u0000\\ud800',
  );
});

test('up to fifty primaries with equal shares of the slots have equal shares of the partitions, give or take one', () => {
  for (let primaries = 1; primaries <= 50; primaries += 1) {
    const shares = Object.values(
      Object.groupBy(slotsOfTags, (slot) => Math.floor((slot * primaries) / 16_384)),
    ).map((slots) => slots?.length ?? 0);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    expect(shares).toHaveLength(primaries);
  }
});

test('ids that follow each other are spread evenly', () => {
  const ids = Array.from({ length: 64_000 }, (_, index) => `acme/69778277350583${index}`);
  const counts = Object.values(Object.groupBy(ids, partitionOf)).map((some) => some?.length ?? 0);
  expect(counts).toHaveLength(partitionCount);
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1_150);
});
