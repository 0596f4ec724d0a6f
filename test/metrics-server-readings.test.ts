import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addServerReadings, type ReadServer } from '../src/metrics-server-readings.ts';

async function valuesOf(read: ReadServer): Promise<ReadonlySet<string>> {
  const registry = new Registry();
  addServerReadings(registry, read);
  const lines = (await registry.metrics()).split('\n');
  const samples = lines.filter((line) => line.startsWith('gateway_postgres_'));
  expect(samples).toHaveLength(12);
  return new Set(samples.map((line) => line.replace(/^\S+ /, '')));
}

test('a store without a server has zeros', async () => {
  expect(await valuesOf(null)).toEqual(new Set(['0']));
});

test('while the server does not answer, the scrape does, and no alert takes what is unknown for a value', async () => {
  expect(await valuesOf(() => Promise.reject(new Error('It is frozen.')))).toEqual(new Set(['Nan', '1']));
});

test('each metric has the value of its own reading', async () => {
  const reading = {
    oldestTransactionSeconds: 1,
    transactionIdAge: 2,
    liveRows: 3,
    deadRows: 4,
    replicationLagBytes: 5,
    standbys: 6,
    slotWalBytes: 7,
    notificationQueueUsage: 8,
    connectionsUsage: 9,
    sessions: 10,
    maxSessions: 11,
  };
  expect([...(await valuesOf(async () => reading))]).toEqual([...Object.values(reading), 0].map(String));
});
