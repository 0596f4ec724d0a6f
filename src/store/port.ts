import type { GatewayErrorCode } from '../errors.ts';
import type { ForgottenClient } from '../forgotten-client.ts';
import type { DeliveryStatus, Message, MessageKey } from '../message.ts';
import type { Attempt, Begun, Idempotency, NewSend, Repeat, Send, SendOutcome } from '../send.ts';
import type { StoreServer } from '../store-server.ts';

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
 * - messages merge by `merge` of `src/message.ts`, whatever the order and number of writes;
 * - all belongs to a business: nothing that is written, read or forgotten for one touches another's.
 */
export interface Store {
  /**
   * Writes a send down before it leaves, unless its idempotency key was used before. That is decided and written in
   * one step: of any number of calls with one key, one is told `begun`.
   */
  begin(send: NewSend): Promise<Begun>;

  /** What `begin` would be told of an earlier send with this key. Undefined: there is none, and none is begun. */
  findRepeat(business: string, idempotency: Idempotency): Promise<Repeat | undefined>;

  /**
   * Settles a send that Pingup accepted, and merges `message`, in one transaction; it resolves when both are durable, to
   * what is now known of the message. The send is of the business of the message.
   * It is the last word on a send: it outweighs UNKNOWN, and nothing outweighs it. A repeat for the same send is harmless.
   *
   * Undefined: Pingup has given the id to another send before. The message of that one stays as it is, and this send is
   * UNKNOWN, with its text and that id, unless it is ACCEPTED already.
   */
  accept(attempt: Attempt, message: Message): Promise<Message | undefined>;

  /**
   * Settles a send that did not end in a message, with the outcome that `outcomeOfFailure` names. NOT_SENT gives its
   * idempotency key back; the other outcomes keep it.
   */
  fail(business: string, attempt: Attempt, code: GatewayErrorCode, at: number): Promise<void>;

  /**
   * Sends that were begun before `before` (epoch ms) and are PENDING become UNKNOWN at `at`: their process crashed, or
   * their answer could not be written down. Resolves to how many those were.
   */
  settleLost(before: number, at: number): Promise<number>;

  /** Newest first: by when they were begun. */
  sends(query: SendQuery): Promise<SendPage>;

  /**
   * Merges what callbacks said, known ids and unknown ones alike, and keeps what was not understood. Where it rejects, a
   * part of it may be there, and a repeat brings the rest.
   * A quarantined body that is already there is not kept twice.
   *
   * What is kept for each business has limits (`StoreLimits`), and one that reaches them never gets another business
   * refused. In quarantine the oldest makes room. Of messages that are known from callbacks alone the oldest make room
   * that were first heard of more than a day ago, and their watches end; if none was, it rejects with
   * CallbackRoomError for the new ones, and all else is recorded.
   */
  record(news: readonly Message[], quarantined?: readonly QuarantinedCallback[]): Promise<void>;

  find(key: MessageKey): Promise<Message | undefined>;

  /** Newest first: by when the store first heard of the message. */
  list(query: MessageQuery): Promise<MessagePage>;

  /**
   * The message as it is now, at once, and then each later state until none can come (READ) or `return()` is called;
   * undefined for an unknown key. It also ends when `prune` or `forget` deletes the message. Never misses the last state, never
   * goes back, never repeats a revision; a slow reader skips states, since at most one waits for it. It listens first,
   * then reads.
   * `return()` may be called at any moment, also while `next()` waits: it ends the wait and leaves nothing behind.
   */
  watch(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined> | undefined>;

  /** What was not understood, newest first: by when its body first came. Bodies are read one by one. */
  quarantined(query: QuarantineQuery): Promise<QuarantinePage>;

  /** A quarantined callback by the `id` that `quarantined` gives it. One of another business is undefined. */
  findQuarantined(business: string, id: string): Promise<KeptCallback | undefined>;

  /**
   * Merges `news`, which a quarantined callback turned out to say, and takes it out of quarantine, in one step or the
   * news first. Where it is not there any more, the news is merged all the same. It rejects as `record` does, and then
   * the callback stays in quarantine.
   */
  release(business: string, id: string, news: readonly Message[]): Promise<void>;

  /** Deletes quarantined callbacks, 1 to 100 of them. Resolves to how many were there. */
  deleteQuarantined(business: string, ids: readonly string[]): Promise<number>;

  /**
   * Erases a client: deletes its messages, whose watches end, and takes what was said and to whom out of its sends,
   * which stay with their outcome and their idempotency key, so that none of them is sent again. In small batches,
   * between which other calls are served. Resolves to how many those were. A send that is PENDING is not
   * touched, since its message is still to come: what comes meanwhile is left for another call.
   */
  forget(client: ForgottenClient): Promise<Forgotten>;

  /** What may be lost of what was acknowledged, in sentences for the operator; absent or empty: nothing. */
  readonly risks?: readonly string[];

  /** What an operator should know of its state now; absent: the adapter has nothing of the kind. */
  readonly condition?: StoreCondition;

  /** The server that it is in; absent: the adapter has none. */
  readonly server?: StoreServer;

  /**
   * Takes copies of erased data that the engine still holds out of its files. Nothing else is served meanwhile. Absent:
   * the adapter has no such thing.
   */
  vacuum?(): Promise<void>;

  /** How many watches are open. */
  readonly watching: number;

  /** How many calls were not answered yet. */
  readonly pending: number;

  /**
   * Deletes messages, sends and quarantined callbacks that were last touched before `before` (epoch ms), in small
   * batches between which other calls are served. A message that was scheduled for later than its last news counts as
   * touched then. Resolves to how many messages it deleted; their watches have ended. None, while `condition` says that
   * retention waits.
   */
  prune(before: number): Promise<number>;

  /**
   * The store's clock, in epoch ms, which is the same for all of its nodes. Whatever is compared with what another node has
   * written is of this one: when a send was begun, and before which instant sends are lost, keys expire and rows are deleted.
   */
  now(): number;

  /** Resolves when the store can write. */
  check(): Promise<void>;

  /** Finishes what was begun, then closes. Later calls reject with STORE_UNAVAILABLE; watches end. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StoreCondition {
  /** The size of the write-ahead log. */
  readonly walBytes: number;
  /** What is damaged: writes reject with STORE_UNAVAILABLE until it is restored. Null: no damage was found. */
  readonly damage: string | null;
  /** Until when (epoch ms) `prune` deletes nothing and no idempotency key expires, since the clock leapt. */
  readonly retentionWaitsUntil: number | null;
}

/** A callback that is authentic and was not, or not wholly, understood. */
export interface QuarantinedCallback {
  /** Whose callback address it came to. */
  readonly business: string;
  /** The body as it came; of an array only the elements that were not understood. */
  readonly raw: string;
  /** What was not understood, for the operator. */
  readonly reason: string;
  readonly receivedAt: number;
}

/** The same as it is listed: a body that came again to the same business is one of them. */
export interface QuarantineEntry extends Omit<QuarantinedCallback, 'raw'> {
  /** The store's own, and its business'. */
  readonly id: string;
  /** In UTF-16 code units, as a string has them. */
  readonly rawLength: number;
  /** How often it came. `receivedAt` is when it came first. */
  readonly times: number;
  readonly lastReceivedAt: number;
}

/** The same with its body. */
export interface KeptCallback extends QuarantineEntry, QuarantinedCallback {}

/** What remains of a quarantined callback that made room for others. */
export interface EvictedCallback extends Pick<QuarantineEntry, 'id' | 'business' | 'reason' | 'receivedAt'> {
  /** What it took. */
  readonly bytes: number;
}

/** How many of each were erased. */
export interface Forgotten {
  readonly messages: number;
  readonly sends: number;
}

export interface QuarantineQuery {
  readonly business: string;
  /** 1 to 100. */
  readonly first: number;
  /** The cursor of the last callback already seen. One that the store did not make is BAD_USER_INPUT. */
  readonly after?: string | undefined;
}

export interface QuarantinePage {
  readonly entries: readonly { readonly cursor: string; readonly callback: QuarantineEntry }[];
  readonly hasMore: boolean;
}

export interface MessageQuery {
  readonly business: string;
  /** 1 to 100. */
  readonly first: number;
  /** The cursor of the last message already seen. One that the store did not make is BAD_USER_INPUT. */
  readonly after?: string | undefined;
  readonly client?: string | undefined;
  /** Any of these; an empty list matches nothing. */
  readonly statuses?: readonly DeliveryStatus[] | undefined;
}

export interface SendQuery {
  readonly business: string;
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
