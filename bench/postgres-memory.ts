import type { Report } from './figures.ts';
import { startGatewayUnderTest } from './gateway-under-test.ts';
import { makeKnown, measureGrowth } from './memory.ts';
import { type StoreKind, startStoreServer } from './store-servers.ts';

const count = 10_000;
const rounds = 3;

/**
 * The memory of a node for each socket with one subscription: on PostgreSQL, and on SQLite, beside which it
 * tells what it costs to watch what other nodes write. Each round has servers of its own.
 */
export async function benchmarkPostgresMemory(): Promise<Report> {
  const sizes: Record<StoreKind, number[]> = { PostgreSQL: [], SQLite: [] };
  for (let round = 0; round < rounds; round += 1)
    for (const kind of ['PostgreSQL', 'SQLite'] as const) sizes[kind].push(await measure(kind));
  return {
    title: `Memory of a node for each idle subscription, at ${count.toLocaleString('en')}`,
    unit: 'KiB',
    target: { atMost: 16 },
    gateway: { name: 'on PostgreSQL', values: sizes.PostgreSQL },
    references: [{ name: 'on SQLite', values: sizes.SQLite }],
  };
}

async function measure(kind: StoreKind): Promise<number> {
  await using server = await startStoreServer(kind);
  await using gateway = await startGatewayUnderTest({ env: { STORE_URL: server.url } });
  const ids = Array.from({ length: count }, (_, index) => `message-${index}`);
  await makeKnown(gateway, ids);
  return (await measureGrowth(gateway, ids, 1)).later;
}
