/** What one contender did, over several rounds. */
export interface Figures {
  readonly name: string;
  /** One for each round, in the benchmark's unit. */
  readonly values: readonly number[];
}

/** What is asked of the gateway. */
export type Target =
  | { readonly atLeast: number }
  | { readonly atMost: number }
  /** Such a part of what the first reference does, at least. */
  | { readonly ofFirstReference: number }
  /** At most so many times what the first reference takes. */
  | { readonly timesFirstReference: number };

export interface Report {
  readonly title: string;
  readonly unit: string;
  readonly target: Target;
  readonly gateway: Figures;
  /** The gateway's figure is shown as a ratio to that of each. */
  readonly references: readonly Figures[];
  /** Figures of the gateway that no reference has. */
  readonly besides?: readonly Figures[];
}

/** A report as a table: medians with the lowest and the highest round, and ratios of medians. */
export function describeReport(report: Report): string {
  const { title, unit, gateway, references, besides = [] } = report;
  const lines = [
    row(['', `median ${unit}`, 'lowest', 'highest', '']),
    row([...cells(gateway), describeTarget(report)]),
    ...references.map((figures) => row([...cells(figures), describeRatio(gateway, figures)])),
    ...besides.map((figures) => row([...cells(figures), ''])),
  ];
  return `\n${title}\n${lines.join('\n')}\n`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return (low + high) / 2;
}

function cells({ name, values }: Figures): string[] {
  return [name, ...[median(values), Math.min(...values), Math.max(...values)].map(rounded)];
}

function rounded(value: number): string {
  const digits = Math.abs(value) < 100 ? 1 : 0;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function describeTarget({ target, gateway, references: [first] }: Report): string {
  const value = median(gateway.values);
  if ('atMost' in target) return verdict(`at most ${rounded(target.atMost)}`, value <= target.atMost);
  if ('atLeast' in target) return verdict(`at least ${rounded(target.atLeast)}`, value >= target.atLeast);
  const part = value / median(first?.values ?? []);
  if ('timesFirstReference' in target)
    return verdict(`at most ${target.timesFirstReference} × the next`, part <= target.timesFirstReference);
  return verdict(`at least ${target.ofFirstReference} of the next`, part >= target.ofFirstReference);
}

function verdict(target: string, isMet: boolean): string {
  return `target: ${target}, ${isMet ? 'met' : 'MISSED'}`;
}

function describeRatio(gateway: Figures, reference: Figures): string {
  return `gateway : this = ${(median(gateway.values) / median(reference.values)).toFixed(2)}`;
}

function row([name = '', ...values]: readonly string[]): string {
  const note = values.pop() ?? '';
  return `  ${name.padEnd(34)}${values.map((value) => value.padStart(15)).join('')}   ${note}`.trimEnd();
}
