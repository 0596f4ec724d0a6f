import type { PostgresRisk } from '../../postgres-risks.ts';
import type { Row } from './statement.ts';

/** What a server says of itself and of a session. */
export interface Hello {
  /** Of the process that serves it; behind a pooler it may be another for each transaction. */
  readonly pid: number;
  /** When that process began, so that nobody takes another with the same id for it. */
  readonly started: string;
  readonly takesWrites: boolean;
  /** Which of the histories it writes; null in recovery. Each promotion begins the next. */
  readonly timeline: number | null;
  readonly version: number;
  readonly settings: DurabilitySettings;
}

export interface DurabilitySettings {
  readonly fsync: boolean;
  readonly fullPageWrites: boolean;
  readonly standbys: string;
}

/** The name of the file that is written has the timeline at once; `pg_control_checkpoint()` only after a checkpoint. */
export const helloText = `select pg_backend_pid() as pid,
  (select extract(epoch from backend_start)::text from pg_stat_activity where pid = pg_backend_pid()) as started,
  not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off' as takes_writes,
  case when pg_is_in_recovery() then null else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end as timeline,
  current_setting('server_version_num')::int as version,
  current_setting('fsync') = 'on' as fsync,
  current_setting('full_page_writes') = 'on' as full_page_writes,
  current_setting('synchronous_standby_names') as standbys`;

export function parseHello(row: Row | undefined): Hello {
  if (!row) throw new Error('The server did not say what it is.');
  const timeline = row['timeline'];
  return {
    pid: Number(row['pid']),
    started: String(row['started']),
    takesWrites: row['takes_writes'] === true,
    timeline: typeof timeline === 'string' ? Number.parseInt(timeline, 16) : null,
    version: Number(row['version']),
    settings: {
      fsync: row['fsync'] === true,
      fullPageWrites: row['full_page_writes'] === true,
      standbys: String(row['standbys']),
    },
  };
}

/** What may be lost with these settings. */
export function risksOf(
  { fsync, fullPageWrites, standbys }: DurabilitySettings,
  hosts: number,
): PostgresRisk[] {
  return [
    ...(fsync ? [] : ['fsync-off' as const]),
    ...(fullPageWrites ? [] : ['full-page-writes-off' as const]),
    ...(hosts > 1 && standbys.trim() === '' ? ['no-synchronous-standby' as const] : []),
  ];
}
