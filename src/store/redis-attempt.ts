import { randomInt } from 'node:crypto';
import type { Attempt } from '../send.ts';
import { partitionCount } from './redis-partitions.ts';
import { stampLength } from './redis-stamps.ts';

const partitionLength = 2;
const randomLength = 6;
const form = new RegExp(`^[0-9]{${stampLength + partitionLength + randomLength}}$`);

/** Names a send by when it was begun, where it is, and chance: digits, of which the later send has the greater. */
export function attemptOf(stamp: string, partition: number): Attempt {
  const random = String(randomInt(10 ** randomLength)).padStart(randomLength, '0');
  return `${stamp}${String(partition).padStart(partitionLength, '0')}${random}` as Attempt;
}

/** Undefined for what `attemptOf` did not make. */
export function partitionOfAttempt(attempt: string): number | undefined {
  const partition = form.test(attempt)
    ? Number(attempt.slice(stampLength, stampLength + partitionLength))
    : Number.NaN;
  return partition < partitionCount ? partition : undefined;
}
