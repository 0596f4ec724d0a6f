import type { ServerReading, StoreServer } from '../../store-server.ts';
import type { Connections } from './connections.ts';
import type { Row } from './statement.ts';

/** How old a reading may be that is given again: whoever asks for metrics all the time costs one statement a second. */
const freshMs = 1_000;

export interface StoreServerOptions {
  readonly connections: Pick<Connections, 'read' | 'sessions'>;
  readonly schema: string;
  readonly maxSessions: number;
}

/** Asks the server what its operator should know, with one statement however many ask. */
export function createStoreServer({ connections, schema, maxSessions }: StoreServerOptions): StoreServer {
  let asked: { readonly at: number; readonly rows: Promise<readonly Row[]> } | undefined;

  function ask(): Promise<readonly Row[]> {
    const now = performance.now();
    if (asked && now - asked.at < freshMs) return asked.rows;
    const rows = connections.read(text, [schema]);
    asked = { at: now, rows };
    return rows;
  }

  return {
    get sessions() {
      return connections.sessions;
    },
    maxSessions,
    read: async () => {
      const [row] = await ask();
      return readingOf(row ?? {});
    },
  };
}

/**
 * Of the whole server, as one old transaction of anybody keeps dead rows everywhere, also one that was prepared and
 * forgotten. Without pg_read_all_stats it sees neither transactions of other roles nor what standbys have applied.
 */
const text = `select
  greatest(
    (select extract(epoch from clock_timestamp() - min(xact_start)) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()),
    (select extract(epoch from clock_timestamp() - min(prepared)) from pg_prepared_xacts), 0)::float8 as oldest_transaction,
  (select max(age(datfrozenxid)) from pg_database)::float8 as transaction_id_age,
  (select coalesce(sum(n_live_tup), 0) from pg_stat_user_tables where schemaname = $1)::float8 as live_rows,
  (select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables where schemaname = $1)::float8 as dead_rows,
  (select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0) from pg_stat_replication
    where state = 'streaming')::float8 as replication_lag,
  (select count(*) from pg_stat_replication where state = 'streaming')::float8 as standbys,
  (select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0) from pg_replication_slots)::float8 as slot_wal,
  pg_notification_queue_usage()::float8 as notification_queue,
  (select sum(numbackends) from pg_stat_database)::float8 / current_setting('max_connections')::float8 as connections`;

function readingOf(row: Row): ServerReading {
  return {
    oldestTransactionSeconds: Number(row['oldest_transaction']),
    transactionIdAge: Number(row['transaction_id_age']),
    liveRows: Number(row['live_rows']),
    deadRows: Number(row['dead_rows']),
    replicationLagBytes: Number(row['replication_lag']),
    standbys: Number(row['standbys']),
    slotWalBytes: Number(row['slot_wal']),
    notificationQueueUsage: Number(row['notification_queue']),
    connectionsUsage: Number(row['connections']),
  };
}
