import type { GatewayErrorCode } from '../errors.ts';
import type { ForgottenClient } from '../forgotten-client.ts';
import type { DeliveryStatus, Message, MessageKey } from '../message.ts';
import type { Begun, Idempotency, NewSend, Repeat, Send, SendOutcome } from '../send.ts';
import type { StoreLimits } from '../store-limits.ts';
import type { Losses } from './losses.ts';
import type { KeptCallback, QuarantinedCallback, QuarantineEntry } from './port.ts';

/**
 * What the worker thread does for the main thread: plain functions there, calls that travel in batches here.
 * The calls of a batch that write share one transaction, and its reads are served after that.
 */
export interface Operations {
  begin(send: NewSend): Begun;
  findRepeat(business: string, idempotency: Idempotency): Repeat | null;
  /** Null: the id is that of another send's message; nothing of that was changed, and the send is UNKNOWN. */
  accept(attempt: string, message: Message): Message | null;
  fail(business: string, attempt: string, code: GatewayErrorCode, at: number): null;
  /** Returns how many became UNKNOWN. */
  settleLost(before: number, at: number): number;
  /** `watched` are the `keyText` of some in `news`. */
  record(
    news: readonly Message[],
    quarantined: readonly QuarantinedCallback[],
    watched: readonly string[],
  ): Recorded;
  /** Merges what a quarantined callback says, and deletes it unless some of that is refused. */
  release(business: string, id: string, news: readonly Message[], watched: readonly string[]): Recorded;
  /** Returns how many of them were there. */
  deleteQuarantined(business: string, ids: readonly string[]): number;
  /** Looks through the next few rows after `seq`, and deletes those last touched before `before`. */
  prune(table: PrunedTable, before: number, seq: number): WalkedRows;
  /** Erases the next few rows after `seq` that have the client, or its phone number. */
  forget(table: ForgottenTable, by: ForgottenBy, client: ForgottenClient, seq: number): WalkedRows;
  check(): null;
  /** Those that are known, in no promised order. */
  find(keys: readonly MessageKey[]): Message[];
  /** Newest first. */
  list(page: PageOfMessages): NumberedMessage[];
  /** Newest first. */
  sends(page: PageOfSends): Send[];
  /** Newest first. */
  quarantined(page: PageOfRows): QuarantineEntry[];
  findQuarantined(business: string, id: string): KeptCallback | null;
  /** Returns until when nothing expires, or null. A write, so that it is as of now. */
  retentionWait(): number | null;
  /** Moves all of the WAL into the database and empties it. False: a reader is in the way. */
  truncateWal(): boolean;
  /** Rebuilds the file without what was deleted. Nothing else is served meanwhile. */
  vacuum(): null;
  /** The tables to be checked. */
  checkedTables(): string[];
  /** Reads the next rows after one, and looks for them in the indexes. */
  checkRange(table: string, after: number): CheckedRange;
}

export type OperationName = keyof Operations;
export type PrunedTable = 'messages' | 'sends' | 'quarantine';
export type ForgottenTable = 'messages' | 'sends';
export type ForgottenBy = 'client' | 'phone';

export const writingOperations: ReadonlySet<OperationName> = new Set([
  'begin',
  'accept',
  'fail',
  'settleLost',
  'record',
  'release',
  'deleteQuarantined',
  'prune',
  'forget',
  'check',
  'retentionWait',
] as const);

/** Those that concern the files, and run outside of any transaction. */
export const fileOperations: ReadonlySet<OperationName> = new Set(['truncateWal', 'vacuum'] as const);

/** Those that are waited for however long they take. Nothing shares their batch. */
export const unhurriedOperations: ReadonlySet<OperationName> = new Set(['vacuum'] as const);

/** Those of which a batch takes only a few: each reads up to a hundred rows, and the calls behind it wait. */
export const heavyOperations: ReadonlySet<OperationName> = new Set([
  'list',
  'sends',
  'quarantined',
  'findQuarantined',
] as const);

/** What came of what callbacks said. */
export interface Recorded {
  /** What is now known of the messages that are watched. */
  readonly merged: readonly Message[];
  /** Absent: all of it is there, and nothing had to go for it. */
  readonly losses?: Losses;
}

export interface WalkedRows {
  /** Those that were deleted or erased: `keyText` of messages, the numbers of other rows. */
  readonly found: readonly string[];
  /** Where to go on from; null at the end of the walk. */
  readonly next: number | null;
}

export interface CheckedRange {
  readonly rows: number;
  /** Where to go on from; null at the end of the table. */
  readonly next: number | null;
}

export interface PageOfRows {
  readonly business: string;
  readonly limit: number;
  /** Only rows with a smaller number, where it is not null. */
  readonly before: number | null;
}

export interface PageOfSends extends PageOfRows {
  readonly outcomes: readonly SendOutcome[] | null;
}

export interface PageOfMessages extends PageOfRows {
  readonly client: string | null;
  readonly statuses: readonly DeliveryStatus[] | null;
}

/** `number` counts the messages of a business in the order in which the store first heard of them. */
export interface NumberedMessage {
  readonly number: number;
  readonly message: Message;
}

/** One call. It travels as JSON, a batch as a JSON array: half the cost of a structured clone, as measured. */
export type Call = {
  [Name in OperationName]: readonly [Name, ...Parameters<Operations[Name]>];
}[OperationName];

/** One for each call of a batch, in its order. */
export type Answer =
  | { readonly value: unknown }
  | {
      readonly error: string;
      /** True: the database is damaged. */
      readonly damage?: true;
    };

/** What a worker is started with. */
export interface Opened {
  readonly path: string;
  readonly limits: StoreLimits;
}

/** The first thing that a worker says: it serves now, or why it never will. */
export interface Opening {
  /** For the operator: what is wrong, and what to do. */
  readonly refusal: string | null;
}

/** What is posted in place of a batch to have the worker close its file and end. */
export const closeRequest = 'close';
