import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameOfHost, parsePostgresUrl, postgresUrlForLog } from '../src/postgres-url.ts';

const noTls = { mode: 'prefer', rootCert: null, cert: null, key: null };
const plain = { user: 'me', password: null, database: 'me', tls: noTls, passfile: null };

test.each([
  ['postgres://me@host', { ...plain, hosts: [{ host: 'host', port: 5432 }] }],
  ['postgresql://me@10.0.0.1:6432/', { ...plain, hosts: [{ host: '10.0.0.1', port: 6432 }] }],
  [
    'postgres://me:p%40ss%2F@[::1]:7000,b/gate%20way',
    {
      ...plain,
      password: 'p@ss/',
      database: 'gate way',
      hosts: [
        { host: '::1', port: 7000 },
        { host: 'b', port: 5432 },
      ],
    },
  ],
  ['postgres://me@%2Fvar%2Frun/db', { ...plain, database: 'db', hosts: [{ host: '/var/run', port: 5432 }] }],
  [
    'postgres://me@h/?sslmode=verify-full&sslrootcert=/ca+1.pem&sslcert=c.pem&sslkey=%2Fk.pem&passfile=/p&target_session_attrs=read-write',
    {
      ...plain,
      hosts: [{ host: 'h', port: 5432 }],
      tls: { mode: 'verify-full', rootCert: '/ca+1.pem', cert: 'c.pem', key: '/k.pem' },
      passfile: '/p',
    },
  ],
])('%s is understood', (url, target) => {
  expect(parsePostgresUrl(url)).toEqual(target);
});

test.each([
  'postgres:me@host',
  'postgres://host',
  'postgres://me@',
  'postgres://me@a,,b',
  'postgres://me@host:0',
  'postgres://me@host:65536',
  'postgres://me@host/a/b',
  'postgres://me@host/%00',
  'postgres://me:%zz@host',
  'postgres://me@host?sslmode=maybe',
  'postgres://me@host?sslcert=c.pem',
  'postgres://me@host?options=-cfsync%3Doff',
  'postgres://me@host?sslmode=require&sslmode=disable',
  'postgres://me@host?target_session_attrs=standby',
  'postgres://me@a,b,c,d,e,f,g,h,i,j',
  'mysql://me@host',
])('%s is not', (url) => {
  expect(parsePostgresUrl(url)).toBeUndefined();
});

test('whatever the password is, it is understood when it is encoded, and no log has it', () => {
  const passwords = fc
    .string({ unit: 'grapheme', minLength: 8 })
    .filter((text) => !text.includes('\0') && !'postgres://host:5432/db'.includes(text));
  fc.assert(
    fc.property(passwords, (password) => {
      const url = `postgres://me:${encodeURIComponent(password)}@host:5432/db?sslmode=disable`;
      expect(parsePostgresUrl(url)?.password).toBe(password);
      expect(postgresUrlForLog(url)).toBe('postgres://host:5432/db');
    }),
  );
});

test('a host is named with its port, an IPv6 address in brackets', () => {
  expect(nameOfHost({ host: 'a', port: 1 })).toBe('a:1');
  expect(nameOfHost({ host: '::1', port: 1 })).toBe('[::1]:1');
});
