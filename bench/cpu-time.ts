import { readFileSync } from 'node:fs';

/** Linux counts CPU time for programs in these. */
const ticksPerSecond = 100;

/** CPU time of a process and of its children that have ended, in milliseconds; 0 if there is none any more. */
export function cpuMsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
    return (ticks * 1_000) / ticksPerSecond;
  } catch {
    return 0;
  }
}
