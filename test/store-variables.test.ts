import { expect, test } from 'vitest';
import { nameOfBackend, storeSecrets } from '../src/store-variables.ts';

test('a log names the store without its password, which is a secret however it is written', () => {
  const backend = { kind: 'redis', url: 'redis://me:p%40ss@host', replicas: 0, acceptedRisks: [] } as const;
  expect(nameOfBackend(backend)).toBe('redis://host');
  expect(storeSecrets(backend)).toEqual(['p@ss', 'p%40ss']);
  expect(storeSecrets({ ...backend, url: 'redis://host' })).toEqual([]);
  expect(nameOfBackend({ kind: 'sqlite', path: 'data/gateway.db' })).toBe('data/gateway.db');
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
});
