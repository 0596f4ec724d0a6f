import { Gauge, type Registry } from 'prom-client';
import type { ServerReading, StoreServer } from './store-server.ts';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly pick: (reading: ServerReading) => number;
}

const metrics: readonly Metric[] = [
  {
    name: 'oldest_transaction_seconds',
    help: 'How long the oldest transaction on the server is under way.',
    pick: ({ oldestTransactionSeconds }) => oldestTransactionSeconds,
  },
  {
    name: 'transaction_id_age',
    help: 'Transactions since the oldest row that is not frozen; the server stops at 2 billion.',
    pick: ({ transactionIdAge }) => transactionIdAge,
  },
  {
    name: 'live_rows',
    help: 'Rows of the tables of the gateway, as the server estimates them.',
    pick: ({ liveRows }) => liveRows,
  },
  {
    name: 'dead_rows',
    help: 'Versions of rows that were not vacuumed yet.',
    pick: ({ deadRows }) => deadRows,
  },
  {
    name: 'replication_lag_bytes',
    help: 'What the slowest standby has not applied yet.',
    pick: ({ replicationLagBytes }) => replicationLagBytes,
  },
  { name: 'standbys', help: 'Standbys that follow the server.', pick: ({ standbys }) => standbys },
  {
    name: 'slot_wal_bytes',
    help: 'The most that a replication slot keeps of the WAL.',
    pick: ({ slotWalBytes }) => slotWalBytes,
  },
  {
    name: 'notification_queue_usage',
    help: 'The part of the queue of notifications that is full, 0 to 1.',
    pick: ({ notificationQueueUsage }) => notificationQueueUsage,
  },
  {
    name: 'connections_usage',
    help: 'The part of max_connections that is in use, 0 to 1.',
    pick: ({ connectionsUsage }) => connectionsUsage,
  },
];

/**
 * Shows what the server says at each scrape, and 0 if the store has none. While it does not answer,
 * `gateway_postgres_read_failed` is 1 and what it would say is NaN, which no alert takes for a value.
 */
export function addStoreServer(registry: Registry, server: StoreServer | null): void {
  function gauge(name: string, help: string, collect: (from: StoreServer) => Promise<number> | number): void {
    new Gauge({
      name: `gateway_postgres_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(server ? await collect(server) : 0);
      },
    });
  }

  for (const { name, help, pick } of metrics)
    gauge(name, help, ({ read }) => read().then(pick, () => Number.NaN));
  gauge('read_failed', '1 while PostgreSQL does not tell its state, otherwise 0.', ({ read }) =>
    read().then(
      () => 0,
      () => 1,
    ),
  );
  gauge(
    'sessions',
    'Connections that this node has, those that it gave up and the server did not end yet included.',
    ({ sessions }) => sessions,
  );
  gauge(
    'sessions_limit',
    'Connections that this node may have: STORE_CONNECTIONS.',
    ({ maxSessions }) => maxSessions,
  );
}
