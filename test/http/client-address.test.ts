import { expect, test } from 'vitest';
import { createNetworkCheck } from '../../src/http/client-address.ts';

test.each([
  ['192.0.2.7', true],
  ['::ffff:192.0.2.7', true],
  ['192.0.3.7', false],
  ['2001:db8::1', true],
  ['2001:db9::1', false],
  ['198.51.100.1', true],
  ['198.51.100.2', false],
  ['', false],
  ['unknown', false],
  ['192.0.2.7, 198.51.100.2', false],
])('%j is in the networks: %j', (address, expected) => {
  const isIn = createNetworkCheck(['192.0.2.0/24', '2001:db8::/32', '198.51.100.1']);
  expect(isIn(address)).toBe(expected);
});

test('without networks, any address will do', () => {
  expect(createNetworkCheck([])('203.0.113.1')).toBe(true);
});
