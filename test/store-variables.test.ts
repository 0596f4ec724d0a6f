import { expect, test } from 'vitest';
import { nameOfBackend, storeSecrets } from '../src/store-variables.ts';

test('a log names the store without its password, which is a secret however it is written', () => {
  const backend = { kind: 'redis', url: 'redis://me:p%40ss@host', replicas: 0, acceptedRisks: [] } as const;
  expect(nameOfBackend(backend)).toBe('redis://host');
  expect(storeSecrets(backend)).toEqual(['p@ss', 'p%40ss']);
  expect(storeSecrets({ ...backend, url: 'redis://host' })).toEqual([]);
  expect(nameOfBackend({ kind: 'sqlite', path: 'data/gateway.db' })).toBe('data/gateway.db');
});
