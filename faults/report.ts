import type { FaultReport } from './run-fault.ts';

const columns = [
  'fault',
  'what happened',
  'subscribers',
  'callbacks',
  '/s',
  'refused, lost',
  'sends',
  'refused, lost, unknown',
  'sockets lost',
  'longest answer',
  'longest wait',
  'violations',
];

/** The reports of one suite as a table in Markdown, and below it what was violated. */
export function describeReports(title: string, reports: readonly FaultReport[]): string {
  const rows = [columns, columns.map(() => '---'), ...reports.map(cellsOf)];
  const table = rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `\n${title}\n\n${table}\n${reports.map(describeViolations).join('')}`;
}

function cellsOf({
  name,
  story,
  subscribers,
  callbacksPerSecond,
  outcomes,
  longestWaitMs,
  violations,
}: FaultReport) {
  const { callbacks, sends } = outcomes;
  return [
    name,
    story,
    whole(subscribers),
    whole(callbacks.answered),
    whole(callbacksPerSecond),
    [callbacks.refused, callbacks.unanswered].map(whole).join(', '),
    whole(sends.acknowledged),
    [sends.refused, sends.unanswered, sends.unknown].map(whole).join(', '),
    whole(outcomes.subscribers.disconnected),
    `${(callbacks.longestMs / 1000).toFixed(1)} s`,
    `${(longestWaitMs / 1000).toFixed(1)} s`,
    String(violations.length),
  ];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
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
