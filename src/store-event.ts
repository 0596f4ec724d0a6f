/** What a store counts besides its calls. */
export const storeEvents = [
  /** A callback left the quarantine to make room for others. */
  'quarantineEvicted',
  /** A message that was known from callbacks alone was dropped to make room for others. */
  'callbackOnlyDropped',
  /** A message of which only a callback told was refused, since there was no room. */
  'callbackOnlyRefused',
  /** Pingup gave a send the id of another send's message. */
  'messageIdRepeated',
] as const;

export type StoreEvent = (typeof storeEvents)[number];

/** Told of what the store counts: how many more there were. */
export type OnStoreEvent = (event: StoreEvent, count: number) => void;
