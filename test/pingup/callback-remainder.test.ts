import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callbackRemainder } from '../../src/pingup/callback-remainder.ts';

const expected = 'an object';
const faultAt = (index: number) => ({ index, expected });

test('of an array only what was not understood is kept, each element exactly as it came', () => {
  const odd = '{ "message_id": 12345678901234567890, "a": 1.10, "b": 1e400, "a": "]},\\"[\\\\" }';
  const text = ` [ {"message_id":"m"},\n${odd} , [[1],{"x":[2,3]}] ,"," ]`;
  expect(callbackRemainder(text, [faultAt(1), faultAt(2), faultAt(3)])).toEqual({
    raw: `[${odd},[[1],{"x":[2,3]}],","]`,
    reason: '[0]: expected an object; [1]: expected an object; [2]: expected an object',
  });
});

test.each([
  ['{ "a" : [1, 2] }', [0]],
  ['[ 1 , 2 ]', [0, 1]],
  ['"[1,2]"', [0]],
])('%s, of which nothing was understood, is kept as it came', (text, indexes) => {
  expect(callbackRemainder(text, indexes.map(faultAt)).raw).toBe(text);
});

test('whatever the elements and the space around them, the kept ones are those of the body, in its order', () => {
  const space = fc.constantFrom('', ' ', '\n\t', '\r\n ');
  const element = fc.json().map((text) => text.trim());
  const elements = fc.array(fc.tuple(space, element, space, fc.boolean()), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(elements, (parts) => {
      const body = `[${parts.map(([before, text, after]) => `${before}${text}${after}`).join(',')}]`;
      const faults = parts.flatMap(([, , , isOdd], index) => (isOdd ? [faultAt(index)] : []));
      if (faults.length === 0) return;
      const kept = parts.flatMap(([, text, , isOdd]) => (isOdd ? [text] : []));
      const { raw } = callbackRemainder(body, faults);
      expect(raw).toBe(faults.length === parts.length ? body : `[${kept.join(',')}]`);
      expect(raw.length).toBeLessThanOrEqual(body.length);
    }),
    { numRuns: 500 },
  );
});

test('the reason has at most 1,024 characters, whatever the faults', () => {
  const faults = Array.from({ length: 20 }, (_, index) => ({ index, expected: 'x'.repeat(4_096) }));
  expect(callbackRemainder('{}', faults).reason).toHaveLength(1_024);
});
