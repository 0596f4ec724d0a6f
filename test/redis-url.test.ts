import { expect, test } from 'vitest';
import { parseRedisUrl, withoutCredentials } from '../src/redis-url.ts';

const plain = { tls: false, username: null, password: null, database: 0 };

test.each([
  ['redis://host', { kind: 'single', addresses: ['host:6379'], masterName: '', access: plain }],
  ['redis://10.0.0.1:7000/', { kind: 'single', addresses: ['10.0.0.1:7000'], masterName: '', access: plain }],
  [
    'rediss://user:p%40ss%2F@[::1]:7000/3',
    {
      kind: 'single',
      addresses: ['[::1]:7000'],
      masterName: '',
      access: { tls: true, username: 'user', password: 'p@ss/', database: 3 },
    },
  ],
  [
    'redis+cluster://:secret@a,b:7001,c',
    {
      kind: 'cluster',
      addresses: ['a:6379', 'b:7001', 'c:6379'],
      masterName: '',
      access: { ...plain, password: 'secret' },
    },
  ],
  [
    'rediss+sentinel://a,b:26380/the-master/2',
    {
      kind: 'sentinel',
      addresses: ['a:26379', 'b:26380'],
      masterName: 'the-master',
      access: { ...plain, tls: true, database: 2 },
    },
  ],
])('%s is understood', (url, target) => {
  expect(parseRedisUrl(url)).toEqual(target);
});

test.each([
  'redis:host',
  'redis://',
  'redis://a,b',
  'redis://host:0',
  'redis://host:65536',
  'redis://host/db',
  'redis://host/0/1',
  'redis://host?db=1',
  'redis://user:%zz@host',
  'redis+cluster://a/1',
  'redis+cluster://a,,b',
  'redis+sentinel://a',
  'redis+sentinel://a/name/1/2',
  'redis+other://a',
  'http://a',
])('%s is not', (url) => {
  expect(parseRedisUrl(url)).toBeUndefined();
});

test('a log sees neither name nor password', () => {
  expect(withoutCredentials('rediss://user:p%40ss@host:7000/3')).toBe('rediss://host:7000/3');
  expect(withoutCredentials('redis+cluster://a,b')).toBe('redis+cluster://a,b');
});
