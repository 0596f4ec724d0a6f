import type { PostgresHost } from '../../postgres-url.ts';
import type { Hello } from './hello.ts';
import type { Session } from './session.ts';

/**
 * Sessions that this node has lost or given up. Their processes may be there still: a server that is frozen, or waits for
 * its standby, does not notice that nobody listens, and each that is replaced at once would be one more.
 */
export interface Leftovers {
  /** @param host the server, as the target has it; a session that listens may have another way to it. */
  add(session: Session, host: PostgresHost): void;
  countAt(host: PostgresHost): number;
  /**
   * Forgets those that the server no longer shows, and ends those that do nothing.
   *
   * @param session at that server.
   */
  clear(session: Session): Promise<void>;
}

/**
 * It never ends one that works: a commit that waits for its standby would become visible before the standby has it.
 * What waits for its client waits for nobody.
 */
const text = `with left_over as materialized (
  select pid, extract(epoch from backend_start)::text as started,
    state like 'idle%' or wait_event_type = 'Client' as is_idle
  from pg_stat_activity
  join unnest($1::int[], $2::text[]) as known(known_pid, known_started)
    on pid = known_pid and extract(epoch from backend_start)::text = known_started)
select pid, started, case when is_idle then pg_terminate_backend(pid) end from left_over`;

interface Leftover {
  readonly host: PostgresHost;
  readonly hello: Hello;
}

export function createLeftovers(): Leftovers {
  let leftovers: Leftover[] = [];

  return {
    add: ({ isPooled, hello }, host) => {
      // The processes behind a pooler are the pooler's.
      if (!isPooled) leftovers.push({ host, hello });
    },
    countAt: (host) => leftovers.filter((leftover) => leftover.host === host).length,
    clear: async (session) => {
      const own = leftovers.filter(({ host }) => host === session.host);
      if (own.length === 0) return;
      const values = [own.map(({ hello }) => hello.pid), own.map(({ hello }) => hello.started)];
      const { rows } = await session.ask({ text, values });
      const shown = new Set(rows.map((row) => `${row['pid']} ${row['started']}`));
      const isGone = ({ hello }: Leftover) => !shown.has(`${hello.pid} ${hello.started}`);
      leftovers = leftovers.filter((leftover) => !own.includes(leftover) || !isGone(leftover));
    },
  };
}
