import type { GatewayErrorCode } from '../errors.ts';
import type { DeliveryStatus, Message } from '../message.ts';
import type { Attempt, Begun, NewSend, Send, SendOutcome } from '../send.ts';

/**
 * Where the two halves meet: sends and callbacks write, queries read, subscriptions watch. Truth is only here.
 *
 * Promises that every adapter keeps, and the contract suite (`test/store/contract.ts`) checks:
 * - what a write has resolved is on disk: it survives `kill -9` and, at the default settings, a power cut;
 * - a write that rejects may or may not have happened; repeating it is harmless, since messages only merge, and a
 *   `begin` that rejected lets nothing leave;
 * - every method rejects with GatewayError STORE_UNAVAILABLE within 2 s while the store cannot serve, and serves
 *   again without a restart once its cause is gone;
 * - a read that is too large to be served beside others rejects alone with STORE_UNAVAILABLE, and many large reads
 *   together hold up no write;
 * - messages merge by `merge` of `src/message.ts`, whatever the order and number of writes.
 */
export interface Store {
  /**
   * Writes a send down before it leaves, unless its idempotency key was used before. That is decided and written in
   * one step: of any number of calls with one key, one is told `begun`.
   */
  begin(send: NewSend): Promise<Begun>;

  /**
   * Settles a send that Pingup accepted, and merges `message` in one step. Resolves to what is now known of it.
   * It is the last word on a send: it outweighs UNKNOWN, and nothing outweighs it.
   */
  accept(attempt: Attempt, message: Message): Promise<Message>;

  /**
   * Settles a send that did not end in a message, with the outcome that `outcomeOfFailure` names. NOT_SENT gives its
   * idempotency key back; the other outcomes keep it.
   */
  fail(attempt: Attempt, code: GatewayErrorCode, at: number): Promise<void>;

  /**
   * Sends that were begun before `before` (epoch ms) and are PENDING become UNKNOWN at `at`: their process crashed, or
   * their answer could not be written down. Resolves to how many those were.
   */
  settleLost(before: number, at: number): Promise<number>;

  /** Newest first: by when they were begun. */
  sends(query: SendQuery): Promise<SendPage>;

  /**
   * Merges what callbacks said, known ids and unknown ones alike, and keeps what was not understood; all or nothing.
   * A quarantined body that is already there is not kept twice.
   */
  record(news: readonly Message[], quarantined?: readonly QuarantinedCallback[]): Promise<void>;

  find(id: string): Promise<Message | undefined>;

  /** Newest first: by when the store first heard of the message. */
  list(query: MessageQuery): Promise<MessagePage>;

  /**
   * The message as it is now, at once, and then each later state until none can come (READ) or `return()` is called;
   * undefined for an unknown id. It also ends when `prune` deletes the message. Never misses the last state, never
   * goes back, never repeats a revision; a slow reader skips states, since at most one waits for it. It listens first,
   * then reads.
   * `return()` may be called at any moment, also while `next()` waits: it ends the wait and leaves nothing behind.
   */
  watch(id: string): Promise<AsyncIterableIterator<Message, undefined> | undefined>;

  /** How many watches are open. */
  readonly watching: number;

  /** How many calls were not answered yet. */
  readonly pending: number;

  /**
   * Deletes messages, sends and quarantined callbacks that were last touched before `before` (epoch ms), in small
   * batches between which other calls are served. A message that was scheduled for later than its last news counts as
   * touched then. Resolves to how many messages it deleted; their watches have ended.
   */
  prune(before: number): Promise<number>;

  /** Resolves when the store can write. */
  check(): Promise<void>;

  /** Finishes what was begun, then closes. Later calls reject with STORE_UNAVAILABLE; watches end. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A callback that is authentic and was not, or not wholly, understood. */
export interface QuarantinedCallback {
  /** The body as it came. */
  readonly raw: string;
  /** What was not understood, for the operator. */
  readonly reason: string;
  readonly receivedAt: number;
}

export interface MessageQuery {
  /** 1 to 100. */
  readonly first: number;
  /** The cursor of the last message already seen. One that the store did not make is BAD_USER_INPUT. */
  readonly after?: string | undefined;
  readonly client?: string | undefined;
  /** Any of these; an empty list matches nothing. */
  readonly statuses?: readonly DeliveryStatus[] | undefined;
}

export interface SendQuery {
  /** 1 to 100. */
  readonly first: number;
  /** The cursor of the last send already seen. One that the store did not make is BAD_USER_INPUT. */
  readonly after?: string | undefined;
  /** Any of these; an empty list matches nothing. */
  readonly outcomes?: readonly SendOutcome[] | undefined;
}

export interface SendPage {
  readonly entries: readonly { readonly cursor: string; readonly send: Send }[];
  readonly hasMore: boolean;
}

export interface MessagePage {
  readonly entries: readonly { readonly cursor: string; readonly message: Message }[];
  readonly hasMore: boolean;
}
