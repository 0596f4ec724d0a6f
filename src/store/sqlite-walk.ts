import type { WalkedRows } from './sqlite-protocol.ts';

/** Takes the steps of a walk along a table, and returns how many rows they found. */
export async function walk(step: (seq: number) => Promise<WalkedRows>): Promise<number> {
  let total = 0;
  for (let seq: number | null = 0; seq !== null; ) {
    const { found, next }: WalkedRows = await step(seq);
    total += found.length;
    seq = next;
  }
  return total;
}
