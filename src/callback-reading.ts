import type { Message } from './message.ts';
import { maxCharacters } from './text-limits.ts';

/** What a callback says, and what of it was not understood. */
export interface CallbackReading {
  /** What was understood, one entry for each message. */
  readonly news: readonly Message[];
  /** How many elements were understood. */
  readonly accepted: number;
  readonly faults: readonly CallbackFault[];
}

export interface CallbackFault {
  /** Of the element in its array; 0 where the body is no array. */
  readonly index: number;
  /** What would have been understood. */
  readonly expected: string;
}

/** A body of 256 KiB can have more than 100,000 faults. */
export const maxFaultsTold = 20;

/** The first faults in words, for the operator. */
export function describeFaults(faults: readonly CallbackFault[]): string {
  const described = faults.slice(0, maxFaultsTold);
  return cutReason(described.map(({ index, expected }) => `[${index}]: expected ${expected}`).join('; '));
}

export function cutReason(reason: string): string {
  return reason.slice(0, maxCharacters.quarantineReason).toWellFormed();
}
