import type { PostgresHost } from '../../postgres-url.ts';
import type { HostReport } from './host-watch.ts';

export interface Candidate {
  readonly host: PostgresHost;
  readonly report: HostReport | undefined;
}

export interface Election {
  readonly current: PostgresHost | null;
  /** The highest timeline that this node has used. */
  readonly seenTimeline: number;
}

/**
 * Which host is to be used: of those that take writes that with the highest timeline, as an old primary may still take
 * writes after another was promoted. Null: none, or not all were looked at. One that cannot be reached stays in use until
 * another can take its place, since the sessions that are open may still do.
 */
export function electHost(
  candidates: readonly Candidate[],
  { current, seenTimeline }: Election,
): PostgresHost | null {
  if (candidates.some(({ report }) => report === undefined)) return current;
  const [best] = candidates
    .filter((candidate) => timelineOf(candidate) > 0)
    // With several hosts an old primary that comes back alone must not be taken for the new one.
    .filter((candidate) => candidates.length === 1 || timelineOf(candidate) >= seenTimeline)
    .sort((a, b) => timelineOf(b) - timelineOf(a) || preference(b, current) - preference(a, current));
  if (best) return best.host;
  const own = candidates.find(({ host }) => host === current);
  return own?.report?.state === 'down' ? current : null;
}

/** Hosts that take writes too, so that some clients may write where others do not read. */
export function otherPrimaries(
  candidates: readonly Candidate[],
  current: PostgresHost | null,
): PostgresHost[] {
  return candidates
    .filter((candidate) => candidate.host !== current && timelineOf(candidate) > 0)
    .map(({ host }) => host);
}

/** 0 for one that takes no writes. */
export function timelineOf({ report }: Candidate): number {
  return report?.state === 'up' && report.hello.takesWrites ? (report.hello.timeline ?? 0) : 0;
}

function preference({ host }: Candidate, current: PostgresHost | null): number {
  return host === current ? 1 : 0;
}
