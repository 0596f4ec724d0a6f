import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { addStoreServer } from '../src/metrics-store-server.ts';
import type { StoreServer } from '../src/store-server.ts';

async function valuesOf(server: StoreServer | null): Promise<ReadonlySet<string>> {
  const registry = new Registry();
  addStoreServer(registry, server);
  const lines = (await registry.metrics()).split('\n');
  const samples = lines.filter((line) => line.startsWith('gateway_postgres_'));
  expect(samples).toHaveLength(12);
  return new Set(samples.map((line) => line.replace(/^\S+ /, '')));
}

test('a store without a server has zeros', async () => {
  expect(await valuesOf(null)).toEqual(new Set(['0']));
});

test('while the server does not answer, the scrape does, and no alert takes what is unknown for a value', async () => {
  const read = () => Promise.reject(new Error('It is frozen.'));
  expect(await valuesOf({ sessions: 5, maxSessions: 6, read })).toEqual(new Set(['Nan', '1', '5', '6']));
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
  };
  const values = await valuesOf({ sessions: 10, maxSessions: 11, read: async () => reading });
  expect([...values]).toEqual([...Object.values(reading), 0, 10, 11].map(String));
});
