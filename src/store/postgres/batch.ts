import type { Result, Statement } from './statement.ts';

/**
 * What the store can be asked to do in a transaction. Calls of one kind that share a transaction share its statements, one
 * for all of them where that can be.
 */
export interface Kind<Call, Answer> {
  /** Whose data it changes: their locks are taken first. Null: nobody's. */
  businessOf(call: Call): string | null;
  /** Calls of the same are never in one transaction. Absent or null: all can be. */
  keyOf?(call: Call): string | null;
  /** Characters; absent: so few that only their number counts. */
  sizeOf?(call: Call): number;
  plan(calls: readonly Call[]): Plan<Answer>;
}

export interface Plan<Answer> {
  readonly statements: readonly Statement[];
  /** The answer to each call, in their order; `again`: it has to be made in another transaction. */
  readonly read: (results: readonly Result[]) => readonly (Answer | Again)[];
}

export const again = Symbol('again');
export type Again = typeof again;
