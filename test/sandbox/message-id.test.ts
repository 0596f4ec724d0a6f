import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newMessageId } from '../../src/sandbox/message-id.ts';

test('message ids are digits, and no two are the same', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (count) => {
      const ids = Array.from({ length: count }, newMessageId);
      for (const id of ids) expect(id).toMatch(/^[1-9][0-9]*$/);
      const before = seen.size;
      for (const id of ids) seen.add(id);
      expect(seen.size).toBe(before + count);
    }),
  );
});
