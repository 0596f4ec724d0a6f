import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duplicateKeys } from '../src/duplicate-keys.ts';

test.each([
  ['{"a":1,"a":2}', ['a']],
  ['{"a":{"b":1,"b":2},"c":{"b":1}}', ['a.b']],
  ['{"a":[{"b":1},{"b":1}],"b":1}', []],
  ['{"a":[{"b":1,"b":1}]}', ['a.b']],
  ['{"a":"\\"a\\":","b":":"}', []],
  ['{"a":1,"\\u0061" : 2}', ['a']],
  ['{"a":"b","c":"b"}', []],
  ['{"a":1,"a":2,"a":3}', ['a', 'a']],
  ['[]', []],
  ['"{"', []],
])('in %s: %j', (text, places) => {
  expect(duplicateKeys(text)).toEqual(places);
});

test('whatever JSON.stringify writes has no key twice, and one that is doubled is found', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (object) => {
      const text = JSON.stringify(object);
      const [first = ''] = Object.keys(object);
      expect(duplicateKeys(text)).toEqual([]);
      expect(duplicateKeys(`${text.slice(0, -1)},${JSON.stringify(first)}:0}`)).toEqual([first]);
    }),
  );
});
