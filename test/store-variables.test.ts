import { expect, test } from 'vitest';
import { nameOfBackend, storeSecrets } from '../src/store-variables.ts';

test('a log names the file of SQLite, which has no secret', () => {
  const backend = { kind: 'sqlite', path: 'data/gateway.db' } as const;
  expect(nameOfBackend(backend)).toBe('data/gateway.db');
  expect(storeSecrets(backend)).toEqual([]);
});

const postgres = {
  kind: 'postgres',
  url: 'postgres://me:p%40s%2fs@a,b:6432/db?sslmode=require',
  listenUrl: 'postgres://me:other@a/db',
  passwordFile: null,
  maxSessions: 6,
  schema: 'pingup_gateway',
  migrates: true,
  namedStatements: false,
  acceptedRisks: [],
} as const;

test('the passwords of both addresses of a PostgreSQL are secrets, and a log names its hosts', () => {
  expect(nameOfBackend(postgres)).toBe('postgres://a,b:6432/db');
  expect(storeSecrets(postgres)).toEqual(['p@s/s', 'p%40s%2fs', 'p%40s%2Fs', 'other']);
  expect(storeSecrets({ ...postgres, url: 'postgres://me@a', listenUrl: null })).toEqual([]);
});
