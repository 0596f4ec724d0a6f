import { GatewayError, type GatewayErrorCode } from './errors.ts';
import type { Message } from './message.ts';
import { delayInSeconds, type OutgoingText, parseOutgoingText, type TextInput } from './outgoing-text.ts';
import type { Pingup } from './pingup/port.ts';
import type { Attempt, MessagePage, MessageQuery, QuarantinedCallback, Store } from './store/port.ts';

/** The whole service: a text goes out, callbacks come in, and whoever watches the message sees its status move. */
export interface Messaging {
  /**
   * mutation -> store -> Pingup -> store
   *
   * @throws GatewayError BAD_USER_INPUT, STORE_UNAVAILABLE, PINGUP_*, or SEND_OUTCOME_UNKNOWN.
   */
  send(input: TextInput): Promise<Message>;

  /**
   * callback -> store -> whoever watches. Durable once it resolves.
   *
   * @throws GatewayError STORE_UNAVAILABLE.
   */
  receive(news: readonly Message[], quarantined?: readonly QuarantinedCallback[]): Promise<void>;

  /**
   * store -> subscription: the message now, then each later state, in order and once, until READ.
   *
   * @throws GatewayError NOT_FOUND, STORE_UNAVAILABLE.
   */
  watch(id: string): Promise<AsyncIterableIterator<Message, undefined>>;

  find(id: string): Promise<Message | undefined>;
  list(query: MessageQuery): Promise<MessagePage>;
}

export function createMessaging({ store, pingup }: { store: Store; pingup: Pingup }): Messaging {
  async function send(input: TextInput): Promise<Message> {
    const text = parseOutgoingText(input);
    const attempt = await store.begin(text, Date.now());
    const id = await pingup.sendText(text).catch((error) => giveUp(attempt, error));
    return store.accept(attempt, accepted(id, text)).catch((error) => mourn(id, error));
  }

  /** Settles the send with the reason that it failed, which stays the caller's answer whatever the store says. */
  async function giveUp(attempt: Attempt, error: unknown): Promise<never> {
    const code: GatewayErrorCode = error instanceof GatewayError ? error.code : 'SEND_OUTCOME_UNKNOWN';
    await store.fail(attempt, code, Date.now()).catch(() => undefined);
    throw error;
  }

  async function watch(id: string): Promise<AsyncIterableIterator<Message, undefined>> {
    const states = await store.watch(id);
    if (!states) throw new GatewayError('NOT_FOUND', `No message has the id ${JSON.stringify(id)}.`);
    return states;
  }

  return {
    send,
    watch,
    receive: (news, quarantined) => store.record(news, quarantined),
    find: (id) => store.find(id),
    list: (query) => store.list(query),
  };
}

/** A message as it is the moment Pingup has accepted it. */
function accepted(id: string, text: OutgoingText): Message {
  const now = Date.now();
  const delaySeconds = text.delay === null ? undefined : delayInSeconds(text.delay);
  const scheduledFor = delaySeconds === undefined ? null : now + delaySeconds * 1000;
  return {
    id,
    details: { ...text, scheduledFor, acceptedAt: now },
    history: [{ status: 'ACCEPTED', at: now, receivedAt: now, rawStatus: null, failure: null }],
  };
}

/** Pingup has the message, and the store did not take it: no answer that invites a repeat would be true. */
function mourn(id: string, cause: unknown): never {
  const message = `Pingup accepted the message as ${JSON.stringify(id)}, but it could not be written down.`;
  throw new GatewayError('SEND_OUTCOME_UNKNOWN', message, { cause });
}
