import type { FaultReport } from './run-fault.ts';

/** What each column shows of a report. */
const columns: Readonly<Record<string, (report: FaultReport) => string>> = {
  fault: ({ name }) => name,
  'what happened': ({ story }) => story,
  'may cost': ({ costs }) => costs.join(', ') || 'nothing',
  subscribers: ({ subscribers }) => whole(subscribers),
  callbacks: ({ outcomes, callbacksPerSecond }) =>
    `${whole(outcomes.callbacks.answered)} (${whole(callbacksPerSecond)}/s)`,
  'refused, unanswered': ({ outcomes: { callbacks } }) => list(callbacks.refused, callbacks.unanswered),
  sends: ({ outcomes }) => whole(outcomes.sends.acknowledged),
  'refused, unanswered, unknown': ({ outcomes: { sends } }) =>
    list(sends.refused, sends.unanswered, sends.unknown),
  'sockets lost': ({ outcomes }) => whole(outcomes.subscribers.disconnected),
  'longest answer': ({ outcomes }) => seconds(outcomes.callbacks.longestMs),
  'all right again after': ({ longestWaitMs }) => seconds(longestWaitMs),
  violations: ({ violations }) => whole(violations.length),
};

/** The reports of one suite as a table in Markdown, and below it what was violated. */
export function describeReports(title: string, reports: readonly FaultReport[]): string {
  const names = Object.keys(columns);
  const cells = reports.map((report) => Object.values(columns).map((show) => show(report)));
  const rows = [names, names.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |\n`);
  return `\n${title}\n\n${rows.join('')}${reports.map(describeViolations).join('')}`;
}

function list(...values: readonly number[]): string {
  return values.map(whole).join(', ');
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Enough of them to see what is wrong. */
const violationsTold = 10;

function describeViolations({ name, violations, outcomes }: FaultReport): string {
  if (violations.length === 0) return '';
  const told = violations.slice(0, violationsTold).map(({ kind, what }) => `  ${kind}: ${what}\n`);
  const more = violations.length > violationsTold ? `  and ${violations.length - violationsTold} more\n` : '';
  const refusals = [...outcomes.refusals].map(([code, times]) => `${code} ${times}`).join(', ');
  return `\n${name}: ${violations.length} VIOLATIONS; refused: ${refusals || 'nothing'}\n${told.join('')}${more}`;
}
