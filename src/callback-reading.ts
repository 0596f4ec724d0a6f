import type { Message } from './message.ts';

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

/** The faults in words, for the operator. */
export function describeFaults(faults: readonly CallbackFault[]): string {
  return faults.map(({ index, expected }) => `[${index}]: expected ${expected}`).join('; ');
}
