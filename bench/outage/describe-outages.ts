import type { OutageTimes } from './check-sends.ts';
import type { WayToFail } from './failing-pingup.ts';
import type { AnsweredSend } from './steady-sends.ts';

/** What was seen of one outage. Memory is in bytes. */
export interface Outage {
  readonly way: WayToFail;
  readonly times: OutageTimes;
  readonly sends: readonly AnsweredSend[];
  readonly memory: {
    /** Soon after the breaker opened, and at the end; both after a collection of garbage. */
    readonly early: { readonly heap: number; readonly resident: number };
    readonly late: { readonly heap: number; readonly resident: number };
    /** At equal intervals, as it came. */
    readonly resident: readonly number[];
  };
}

/** Outages side by side. */
export function describeOutages(title: string, outages: readonly Outage[]): string {
  const columns = outages.map(columnOf);
  const labels = Object.keys(columns[0] ?? {});
  const lines = labels.map((label) => row(label, ...columns.map((column) => column[label] ?? '')));
  const series = outages.map(({ way, memory }) => `  ${way}: ${memory.resident.map(mebibytes).join(' ')}`);
  const header = row('', ...outages.map(({ way }) => way));
  return `\n${title}\n${[header, ...lines].join('\n')}\n\nResident during the outage, MiB\n${series.join('\n')}\n`;
}

/**
 * Three kinds of sends, by when they began. Until the breaker opens, the gateway is finding out, and a send that left
 * waits for its answer as long as it may: these are apart. While it is open, a send is turned away at once, or is the
 * one that tries whether Pingup is back. What was still open when Pingup came back counts for the return.
 */
function columnOf({ times, sends, memory }: Outage): Record<string, string> {
  const { downAt, openedAt, backAt } = times;
  const finding = sends.filter(({ dueAt }) => dueAt > downAt && dueAt <= openedAt);
  const open = sends.filter(({ dueAt, endedAt }) => dueAt > openedAt && endedAt < backAt);
  const turnedAway = open.filter(({ outcome }) => outcome === 'PINGUP_UNAVAILABLE');
  const recoveredAt = mostAccepted(sends, backAt);
  const recovered = sends.filter(({ dueAt }) => dueAt >= recoveredAt);
  const tries = open.filter(({ outcome }) => outcome !== 'PINGUP_UNAVAILABLE');
  return {
    'the breaker opens after, s': seconds(openedAt - downAt),
    'until then: answers': count(finding),
    '  outcome unknown': count(finding.filter(({ outcome }) => outcome === 'SEND_OUTCOME_UNKNOWN')),
    '  median, p90, slowest, ms': times3(finding, 0.5, 0.9),
    'then: answers': count(open),
    '  p50, p99, slowest, ms': times3(open, 0.5, 0.99),
    '  turned away': count(turnedAway),
    '    p99, p99.9, slowest, ms': times3(turnedAway, 0.99, 0.999),
    '  tries whether Pingup is back': count(tries),
    'heap early, late, MiB': `${mebibytes(memory.early.heap)}, ${mebibytes(memory.late.heap)}`,
    'resident early, late, MiB': `${mebibytes(memory.early.resident)}, ${mebibytes(memory.late.resident)}`,
    'first accepted after the return, s': seconds(firstAccepted(sends, backAt) - backAt),
    'over 95 % accepted from, s': seconds(recoveredAt - backAt),
    '  from then on accepted, %': (shareAccepted(recovered) * 100).toFixed(1),
  };
}

function firstAccepted(sends: readonly AnsweredSend[], backAt: number): number {
  const ends = sends.flatMap(({ outcome, endedAt }) =>
    outcome === 'ACCEPTED' && endedAt > backAt ? [endedAt] : [],
  );
  return Math.min(...ends);
}

const windowMs = 250;

/** The beginning of the first quarter of a second in which more than 95 % of the sends that began were accepted. */
function mostAccepted(sends: readonly AnsweredSend[], backAt: number): number {
  const after = sends.filter(({ dueAt }) => dueAt > backAt);
  const windows = Map.groupBy(after, ({ dueAt }) => Math.floor((dueAt - backAt) / windowMs));
  const good = [...windows].flatMap(([index, some]) => (shareAccepted(some) > 0.95 ? [index] : []));
  return backAt + Math.min(...good) * windowMs;
}

function shareAccepted(sends: readonly AnsweredSend[]): number {
  return sends.filter(({ outcome }) => outcome === 'ACCEPTED').length / sends.length;
}

function times3(sends: readonly AnsweredSend[], ...shares: readonly number[]): string {
  const sorted = sends.map(({ dueAt, endedAt }) => endedAt - dueAt).sort((a, b) => a - b);
  const at = [...shares.map((share) => sorted[Math.floor(sorted.length * share)]), sorted.at(-1)];
  return at.map((ms) => (ms === undefined ? '-' : Math.round(ms).toLocaleString('en'))).join(', ');
}

function count(sends: readonly AnsweredSend[]): string {
  return sends.length.toLocaleString('en');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

function row(label: string, ...values: readonly string[]): string {
  return `  ${label.padEnd(38)}${values.map((value) => value.padStart(20)).join('')}`;
}
