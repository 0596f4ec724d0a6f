import type { GatewayErrorCode } from '../errors.ts';
import type { DeliveryStatus, Message } from '../message.ts';
import type { OutgoingText } from '../outgoing-text.ts';
import type { QuarantinedCallback } from './port.ts';

/**
 * What the worker thread does for the main thread: plain functions there, calls that travel in batches here.
 * The calls of a batch that write share one transaction, and its reads are served after that.
 */
export interface Operations {
  begin(text: OutgoingText, at: number): string;
  accept(attempt: string, message: Message): Message;
  fail(attempt: string, code: GatewayErrorCode, at: number): null;
  /** Returns what is then known of the ids in `watched`, which are some of those in `news`. */
  record(
    news: readonly Message[],
    quarantined: readonly QuarantinedCallback[],
    watched: readonly string[],
  ): Message[];
  /** Deletes one small batch, and returns how many rows that were; 0 when none is left. */
  prune(table: PrunedTable, before: number): number;
  check(): null;
  /** Those of the ids that are known, in no promised order. */
  find(ids: readonly string[]): Message[];
  /** Newest first. */
  list(page: PageOfRows): NumberedMessage[];
}

export type OperationName = keyof Operations;
export type PrunedTable = 'messages' | 'sends' | 'quarantine';

export const writingOperations: ReadonlySet<OperationName> = new Set([
  'begin',
  'accept',
  'fail',
  'record',
  'prune',
  'check',
] as const);

export interface PageOfRows {
  readonly limit: number;
  /** Only messages with a smaller `seq`, where it is not null. */
  readonly before: number | null;
  readonly client: string | null;
  readonly statuses: readonly DeliveryStatus[] | null;
}

/** `seq` numbers messages in the order in which the store first heard of them. */
export interface NumberedMessage {
  readonly seq: number;
  readonly message: Message;
}

/** One call. It travels as JSON, a batch as a JSON array: half the cost of a structured clone, as measured. */
export type Call = {
  [Name in OperationName]: readonly [Name, ...Parameters<Operations[Name]>];
}[OperationName];

/** One for each call of a batch, in its order. */
export type Answer = { readonly value: unknown } | { readonly error: string };

/** The first thing that a worker says: it serves now, or why it never will. */
export interface Opening {
  /** For the operator: what is wrong, and what to do. */
  readonly refusal: string | null;
}

/** What is posted in place of a batch to have the worker close its file and end. */
export const closeRequest = 'close';
