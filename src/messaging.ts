import { acceptedMessage } from './accepted-message.ts';
import { askUntil } from './ask-until.ts';
import type { CallbackReading } from './callback-reading.ts';
import { badUserInput, GatewayError, type GatewayErrorCode } from './errors.ts';
import type { ForgottenClient } from './forgotten-client.ts';
import type { Message, MessageKey } from './message.ts';
import {
  type CheckedSend,
  fingerprintOf,
  type KeptText,
  type OutgoingText,
  parseSend,
  type SendInput,
} from './outgoing-text.ts';
import { persist } from './persist.ts';
import type { Pingup, SendContext } from './pingup/port.ts';
import { replay } from './replay.ts';
import { type RereadCallback, replayCallback } from './replay-callback.ts';
import type { Attempt, Begun, NewSend } from './send.ts';
import type { SendLimit } from './send-limit.ts';
import type {
  Forgotten,
  MessagePage,
  MessageQuery,
  QuarantinedCallback,
  QuarantinePage,
  QuarantineQuery,
  SendPage,
  SendQuery,
  Store,
} from './store/port.ts';

/** The whole service: a text goes out, callbacks come in, and whoever watches the message sees its status move. */
export interface Messaging {
  /**
   * mutation -> store -> Pingup -> store. With an idempotency key that was used before: mutation -> store.
   *
   * @throws GatewayError BAD_USER_INPUT, TOO_MANY_REQUESTS, STORE_UNAVAILABLE, PINGUP_*, SEND_OUTCOME_UNKNOWN,
   *   IDEMPOTENCY_KEY_REUSED, SEND_IN_PROGRESS, or NOT_FOUND where a repeat comes after the message was deleted.
   */
  send(input: SendInput, context: SendRequest): Promise<Sent>;

  /**
   * callback -> store -> whoever watches. Durable once it resolves.
   *
   * @param traceparent what it belongs to, valid, where the callback is traced.
   * @throws GatewayError STORE_UNAVAILABLE.
   */
  receive(
    news: readonly Message[],
    quarantined?: readonly QuarantinedCallback[],
    traceparent?: string,
  ): Promise<void>;

  /**
   * store -> subscription: the message now, then each later state, in order and once, until READ or deletion.
   *
   * @throws GatewayError NOT_FOUND, STORE_UNAVAILABLE.
   */
  watch(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined>>;

  find(key: MessageKey): Promise<Message | undefined>;
  list(query: MessageQuery): Promise<MessagePage>;
  /** Every send there was, whatever became of it. */
  sends(query: SendQuery): Promise<SendPage>;

  /** Every callback that was authentic and is not understood. */
  quarantined(query: QuarantineQuery): Promise<QuarantinePage>;
  /** The body of a quarantined callback; undefined: it is not there. */
  quarantinedBody(business: string, id: string): Promise<string | undefined>;
  /**
   * quarantine -> store -> whoever watches, once the rules have been mended. What is still not understood stays.
   *
   * @throws GatewayError NOT_FOUND, STORE_UNAVAILABLE.
   */
  replayCallback(business: string, id: string): Promise<CallbackReading>;
  /**
   * Deletes quarantined callbacks that nobody needs any more. Resolves to how many were there.
   *
   * @throws GatewayError BAD_USER_INPUT for none or more than 100 ids, STORE_UNAVAILABLE.
   */
  deleteQuarantined(business: string, ids: readonly string[]): Promise<number>;
  /**
   * Erases what is known of a client.
   *
   * @throws GatewayError STORE_UNAVAILABLE, with a part of it erased; a repeat erases the rest.
   */
  forget(client: ForgottenClient): Promise<Forgotten>;
}

export interface SendRequest extends SendContext {
  /** Whom it counts for. */
  readonly caller: string;
}

export interface Sent {
  readonly message: Message;
  /** Whether an earlier send with the same idempotency key is what sent it. */
  readonly replayed: boolean;
}

export interface MessagingOptions {
  readonly store: Store;
  readonly pingup: Pingup;
  readonly sendLimit: SendLimit;
  /** How quarantined callbacks are read again. */
  readonly reread: RereadCallback;
  /** How long a send waits for an earlier one with the same key, and how long for the store once it was accepted. */
  readonly timeoutMs: number;
  /** How long a key is remembered. */
  readonly idempotencyHours: number;
  /** Whether the store keeps what texts say. */
  readonly keepTexts: boolean;
}

const hourMs = 3_600_000;
/** How long settling a send is tried behind its caller's back; then it is one of those that are lost. */
const settleMs = 60_000;

export function createMessaging(options: MessagingOptions): Messaging {
  const { store, pingup, sendLimit, reread, timeoutMs, idempotencyHours, keepTexts } = options;

  async function send(input: SendInput, context: SendRequest): Promise<Sent> {
    const checked = parseSend(input);
    const { business } = context;
    const begun = await begin(checked, context);
    if (begun.kind !== 'begun') return { message: replay(begun), replayed: true };
    const { attempt } = begun;
    const id = await sendText(checked.text, context).catch((error) => giveUp(business, attempt, error));
    const accepted = acceptedMessage({ business, id }, kept(checked.text), Date.now());
    const writeDown = () => store.accept(attempt, accepted);
    const message = await persist(writeDown, timeoutMs).catch((error) => mourn(id, error));
    if (!message) throw idGivenTwice(attempt, id);
    return { message, replayed: false };
  }

  /** If an earlier send with the same key is under way, waits for it as long as a send may take. */
  function begin(checked: CheckedSend, { business, caller }: SendRequest): Promise<Begun> {
    function ask(): Promise<Begun> {
      const send = newSend(business, checked, store.now());
      const refusal = sendLimit.check(caller);
      return refusal ? findRepeat(send, refusal) : store.begin(send);
    }
    return askUntil(ask, (begun) => begun.kind !== 'running', timeoutMs);
  }

  /** A repeat is answered beyond the limit too. What is none is not written down, so that nothing grows by it. */
  async function findRepeat({ business, idempotency }: NewSend, refusal: GatewayError): Promise<Begun> {
    const repeat = idempotency && (await store.findRepeat(business, idempotency));
    if (repeat) return repeat;
    throw refusal;
  }

  async function sendText(text: OutgoingText, context: SendRequest): Promise<string> {
    sendLimit.take(context.caller);
    return pingup.sendText(text, context);
  }

  function newSend(business: string, { text, idempotencyKey: key }: CheckedSend, at: number): NewSend {
    const validSince = at - idempotencyHours * hourMs;
    const idempotency = key === null ? null : { key, fingerprint: fingerprintOf(text), validSince };
    return { business, text: kept(text), at, idempotency };
  }

  function kept(text: OutgoingText): KeptText {
    return keepTexts ? text : { ...text, textMessage: null };
  }

  /** Settles the send with the reason that it failed, which stays the caller's answer whatever the store says. */
  async function giveUp(business: string, attempt: Attempt, error: unknown): Promise<never> {
    const code: GatewayErrorCode = error instanceof GatewayError ? error.code : 'SEND_OUTCOME_UNKNOWN';
    const settle = () => store.fail(business, attempt, code, store.now());
    await settle().catch(() => void persist(settle, settleMs).catch(() => undefined));
    throw error;
  }

  async function watch(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined>> {
    const states = await store.watch(key);
    if (!states) throw new GatewayError('NOT_FOUND', `No message has the id ${JSON.stringify(key.id)}.`);
    return states;
  }

  return {
    send,
    watch,
    receive: (news, quarantined) => store.record(news, quarantined),
    find: (key) => store.find(key),
    list: (query) => store.list(query),
    sends: (query) => store.sends(query),
    quarantined: (query) => store.quarantined(query),
    quarantinedBody: async (business, id) => (await store.findQuarantined(business, id))?.raw,
    replayCallback: (business, id) => replayCallback(store, reread, business, id),
    deleteQuarantined: async (business, ids) => store.deleteQuarantined(business, checkIds(ids)),
    forget: (client) => store.forget(client),
  };
}

/** How many quarantined callbacks are deleted at a time: a page of them. */
const maxIds = 100;
/** More than any id of a quarantined callback has. */
const maxIdCharacters = 128;

function checkIds(ids: readonly string[]): readonly string[] {
  const areShort = ids.every((id) => id.length <= maxIdCharacters);
  if (ids.length >= 1 && ids.length <= maxIds && areShort) return ids;
  throw badUserInput([
    { path: ['ids'], expected: `1 to ${maxIds} ids of at most ${maxIdCharacters} characters` },
  ]);
}

/** Whether its text went out, and as what, only Pingup knows: the message that has the id is another's. */
function idGivenTwice(attempt: Attempt, id: string): GatewayError {
  return new GatewayError(
    'SEND_OUTCOME_UNKNOWN',
    `Pingup accepted send ${attempt} under the id ${JSON.stringify(id)}, which it had given to another send before.`,
  );
}

/**
 * Pingup has the message, and the store did not take it: no answer that invites a repeat would be true. The send stays
 * PENDING, keeps its key, and becomes UNKNOWN with the others that are lost.
 */
function mourn(id: string, cause: unknown): never {
  const message = `Pingup accepted the message as ${JSON.stringify(id)}, but it could not be written down.`;
  throw new GatewayError('SEND_OUTCOME_UNKNOWN', message, { cause });
}
