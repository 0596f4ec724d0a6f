/** How much the store keeps for each business of what nobody has asked it to keep. */
export interface StoreLimits {
  /** Of the quarantine, as it is stored; beyond it the oldest callback goes. */
  readonly quarantineBytes: number;
  /** Callbacks in quarantine; beyond it the oldest goes. */
  readonly quarantineEntries: number;
  /** Messages that are known from callbacks alone; beyond it the oldest that are older than a day go. */
  readonly callbackOnlyMessages: number;
}

export const defaultStoreLimits: StoreLimits = {
  quarantineBytes: 64 * 1_048_576,
  quarantineEntries: 100_000,
  callbackOnlyMessages: 1_000_000,
};
