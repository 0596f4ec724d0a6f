import type { GatewayErrorCode } from '../errors.ts';
import type { DeliveryStatus, Message } from '../message.ts';
import type { Begun, NewSend, Send, SendOutcome } from '../send.ts';
import type { QuarantinedCallback } from './port.ts';

/**
 * What the worker thread does for the main thread: plain functions there, calls that travel in batches here.
 * The calls of a batch that write share one transaction, and its reads are served after that.
 */
export interface Operations {
  begin(send: NewSend): Begun;
  accept(attempt: string, message: Message): Message;
  fail(attempt: string, code: GatewayErrorCode, at: number): null;
  /** Returns how many became UNKNOWN. */
  settleLost(before: number, at: number): number;
  /** Returns what is then known of the ids in `watched`, which are some of those in `news`. */
  record(
    news: readonly Message[],
    quarantined: readonly QuarantinedCallback[],
    watched: readonly string[],
  ): Message[];
  /** Looks through the next few rows after `seq`, and deletes those last touched before `before`. */
  prune(table: PrunedTable, before: number, seq: number): PrunedRows;
  check(): null;
  /** Those of the ids that are known, in no promised order. */
  find(ids: readonly string[]): Message[];
  /** Newest first. */
  list(page: PageOfMessages): NumberedMessage[];
  /** Newest first. */
  sends(page: PageOfSends): Send[];
}

export type OperationName = keyof Operations;
export type PrunedTable = 'messages' | 'sends' | 'quarantine';

export const writingOperations: ReadonlySet<OperationName> = new Set([
  'begin',
  'accept',
  'fail',
  'settleLost',
  'record',
  'prune',
  'check',
] as const);

/** Those of which a batch takes only a few: each reads up to a hundred rows, and the calls behind it wait. */
export const heavyOperations: ReadonlySet<OperationName> = new Set(['list', 'sends'] as const);

export interface PrunedRows {
  /** The ids of messages, the numbers of other rows. */
  readonly deleted: readonly string[];
  /** Where to go on from; null once no old row follows. */
  readonly next: number | null;
}

interface PageOfRows {
  readonly limit: number;
  /** Only rows with a smaller `seq`, where it is not null. */
  readonly before: number | null;
}

export interface PageOfSends extends PageOfRows {
  readonly outcomes: readonly SendOutcome[] | null;
}

export interface PageOfMessages extends PageOfRows {
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
