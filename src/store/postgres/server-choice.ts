import { type PostgresRisk, textOfRisk } from '../../postgres-risks.ts';
import { nameOfHost, type PostgresHost } from '../../postgres-url.ts';
import type { StoreLog } from '../log.ts';
import type { ServerInUse } from './connections.ts';
import { electHost, otherPrimaries } from './election.ts';
import { risksOf } from './hello.ts';
import { type HostWatch, watchHost } from './host-watch.ts';
import type { Session } from './session.ts';

/** Which of the hosts is used, and what its settings may cost. */
export interface ServerChoice extends Disposable {
  readonly host: PostgresHost | null;
  readonly server: ServerInUse | null;
  /** In sentences. */
  readonly risks: readonly string[];
  /** Set if the first server has risks that were not accepted: what the operator is to do. */
  readonly refusal: string | null;
  /** Why there is no server; null if one answers. */
  readonly trouble: unknown;
  /** Looks at all hosts now. */
  look(): void;
}

export interface ServerChoiceOptions {
  readonly hosts: readonly PostgresHost[];
  readonly acceptedRisks: readonly PostgresRisk[];
  readonly log: StoreLog | undefined;
  readonly connect: (host: PostgresHost) => Promise<Session>;
  readonly intervalMs: () => number;
  /** After each look, with the session that watches the server in use, if it answers. */
  readonly looked: (session: Session | null) => Promise<void>;
}

export function createServerChoice(options: ServerChoiceOptions): ServerChoice {
  const { hosts, acceptedRisks, log, connect, intervalMs, looked } = options;
  let host: PostgresHost | null = null;
  let seenTimeline = 0;
  let server: ServerInUse | null = null;
  let risks: readonly PostgresRisk[] = [];
  let others: readonly PostgresHost[] = [];
  let refusal: string | null = null;
  let hasServed = false;

  const watches: readonly HostWatch[] = hosts.map((at) =>
    watchHost({ host: at, connect: () => connect(at), intervalMs, reported }),
  );

  function reportOf(at: PostgresHost | null) {
    return watches.find((watch) => watch.host === at)?.report;
  }

  async function reported(): Promise<void> {
    choose(electHost(watches, { current: host, seenTimeline }));
    judge();
    const report = reportOf(host);
    await looked(report?.state === 'up' ? report.session : null);
  }

  function choose(next: PostgresHost | null): void {
    const report = reportOf(next);
    if (next && report?.state === 'up') {
      const { timeline, version } = report.hello;
      if (next !== host || timeline !== server?.timeline)
        log?.info({ postgres: nameOfHost(next), timeline }, 'PostgreSQL is in use.');
      server = { name: nameOfHost(next), timeline: timeline ?? 0, version };
      seenTimeline = Math.max(seenTimeline, server.timeline);
    }
    if (!next) server = null;
    host = next;
  }

  /** A risk that appears while the gateway runs is logged, and the server is used all the same. */
  function judge(): void {
    const report = reportOf(host);
    if (!host || report?.state !== 'up') return;
    const found = risksOf(report.hello.settings, hosts.length);
    const isFirst = seenTimeline > 0 && refusal === null && !hasServed;
    const refused = found.filter((risk) => !acceptedRisks.includes(risk));
    if (!hasServed && report.hello.version < minVersion) refusal = tooOld(host);
    else if (isFirst && refused.length > 0) refusal = refusalOf(host, refused);
    else hasServed = true;
    logNew(found);
    risks = found;
    logOthers(otherPrimaries(watches, host));
  }

  function logNew(found: readonly PostgresRisk[]): void {
    for (const risk of found.filter((name) => !risks.includes(name)))
      log?.[acceptedRisks.includes(risk) ? 'info' : 'error'](
        { risk },
        `PostgreSQL: ${textOfRisk[risk].cost}.`,
      );
  }

  function logOthers(found: readonly PostgresHost[]): void {
    for (const other of found.filter((at) => !others.includes(at)))
      log?.error({ postgres: nameOfHost(other), used: server?.name }, 'Another PostgreSQL takes writes too.');
    others = found;
  }

  return {
    get host() {
      return host;
    },
    get server() {
      return server;
    },
    get risks() {
      return [
        ...risks.map((risk) => `${risk}: ${textOfRisk[risk].cost}`),
        ...others.map(
          (other) => `another-primary: ${nameOfHost(other)} takes writes too, and ${server?.name} is in use`,
        ),
      ];
    },
    get refusal() {
      return refusal;
    },
    get trouble() {
      const reports = watches.flatMap(({ report }) => report ?? []);
      if (reports.some(({ state }) => state === 'up'))
        return host ? null : new Error('No PostgreSQL takes writes.');
      return reports.map((report) => (report.state === 'down' ? report.reason : null))[0] ?? null;
    },
    look: () => {
      for (const watch of watches) watch.look();
    },
    [Symbol.dispose]: () => {
      for (const watch of watches) watch[Symbol.dispose]();
    },
  };
}

/** The oldest that its makers mend. */
const minVersion = 140_000;

function tooOld(host: PostgresHost): string {
  return `The PostgreSQL at ${nameOfHost(host)} is too old: version ${minVersion / 10_000} or later is needed.`;
}

function refusalOf(host: PostgresHost, risks: readonly PostgresRisk[]): string {
  const faults = risks.map(
    (risk) => `${textOfRisk[risk].cost}. To remove the risk, ${textOfRisk[risk].remedy}`,
  );
  return `The PostgreSQL at ${nameOfHost(host)} is not safe: ${faults.join('; ')}. To accept it, set STORE_ACCEPT_RISK=${risks.join(',')}.`;
}
