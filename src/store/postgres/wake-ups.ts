import { hash, randomBytes } from 'node:crypto';
import type { MessageKey } from '../../message.ts';
import type { Connections, Listener } from './connections.ts';

/**
 * Tells other nodes that messages have changed. A wake-up carries no truth: it may be lost, late or doubled, and whoever
 * gets one reads. What is lost is found by the poll (change-reader.ts).
 */
export interface WakeUps extends AsyncDisposable {
  /** Sends nothing at once: what comes while a notification is out shares the next. */
  publish(changed: readonly MessageKey[]): void;
  /**
   * Resolves once the server has confirmed that it hears of this business, or nothing can be heard at present.
   */
  subscribe(business: string): Promise<void>;
}

export interface WakeUpsOptions {
  readonly schema: string;
  /** Other nodes have changed these. */
  readonly woken: (changed: readonly MessageKey[]) => void;
  /** Something may have changed unheard. */
  readonly missed: () => void;
}

/** What the connections need to hear; the rest begins with them. */
export interface WakeUpSetup {
  readonly listener: Listener;
  start(connections: Pick<Connections, 'signal' | 'listen'>): WakeUps;
}

/** Nodes of different releases have to agree on it. */
const channelCount = 16;
/** PostgreSQL takes less than 8,000 bytes. */
const maxPayload = 7_900;
/** An id that takes more is not sent: its business is read instead. */
const maxIdBytes = 1_000;
/** In one transaction, so that what is behind it does not wait for long. */
const maxPayloads = 32;
/** Of ids that wait to be sent. Beyond, only their businesses are named. */
const maxWaiting = 20_000;

export function prepareWakeUps({ schema, woken, missed }: WakeUpsOptions): WakeUpSetup {
  /** What this node has changed it knows. */
  const node = randomBytes(6).toString('base64url');
  /** Whoever connects listens to each that is in it by then. */
  const channels: string[] = [];
  /** By the session that listens now, or is asked to. */
  let subscribed = new Map<string, Promise<void>>();

  function notified(_channel: string, payload: string): void {
    const wakeUp = decodeWakeUp(payload);
    if (wakeUp.node === node) return;
    woken(wakeUp.keys);
    if (wakeUp.isPartial) missed();
  }

  function listening(): void {
    subscribed = new Map();
    missed();
  }

  function start({ signal, listen }: Pick<Connections, 'signal' | 'listen'>): WakeUps {
    const outbox = createOutbox(node);
    let sending: Promise<void> | undefined;

    async function sendAll(): Promise<void> {
      // The calls that this turn of the event loop still brings share the transaction.
      await new Promise(setImmediate);
      for (let payloads = outbox.take(); payloads.length > 0; payloads = outbox.take()) {
        const values = [
          payloads.map(({ business }) => channelOf(schema, business)),
          payloads.map(({ text }) => text),
        ];
        await signal([{ text: notifyText, name: 'notify', values }]).catch(() => undefined);
      }
      sending = undefined;
    }

    /** If nothing listens now, it is tried again with the next watch. */
    async function listenTo(channel: string, session: Map<string, Promise<void>>): Promise<void> {
      const isHeard = await listen(channel).catch(() => false);
      if (!isHeard) session.delete(channel);
    }

    return {
      publish: (changed) => {
        outbox.add(changed);
        if (changed.length > 0) sending ??= sendAll();
      },
      subscribe: (business) => {
        const channel = channelOf(schema, business);
        const known = subscribed.get(channel);
        if (known) return known;
        if (!channels.includes(channel)) channels.push(channel);
        const subscribing = listenTo(channel, subscribed);
        subscribed.set(channel, subscribing);
        return subscribing;
      },
      [Symbol.asyncDispose]: async () => sending,
    };
  }

  return { listener: { channels, notified, listening }, start };
}

const notifyText =
  'select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as wake_up (channel, payload)';

/** Of this schema: another one in the same database has channels of its own. */
function channelOf(schema: string, business: string): string {
  const number = Number.parseInt(hash('sha256', business).slice(0, 8), 16) % channelCount;
  return `pingup_${hash('sha256', schema).slice(0, 12)}_${number}`;
}

interface Payload {
  readonly business: string;
  readonly text: string;
}

/** What waits to be sent, each message once. */
export function createOutbox(node: string) {
  let waiting = new Map<string, Set<string>>();
  let count = 0;

  function add(changed: readonly MessageKey[]): void {
    for (const { business, id } of changed) {
      const ids = waiting.get(business) ?? new Set();
      waiting.set(business, ids);
      count -= ids.size;
      ids.add(id);
      count += ids.size;
    }
    if (count <= maxWaiting) return;
    waiting = new Map([...waiting.keys()].map((business) => [business, new Set([tooLong])]));
    count = waiting.size;
  }

  /** The next transaction's; none if nothing waits. */
  function take(): Payload[] {
    const payloads: Payload[] = [];
    for (const [business, ids] of waiting) {
      while (ids.size > 0 && payloads.length < maxPayloads)
        payloads.push({ business, text: takePayload(node, business, ids) });
      if (ids.size > 0) break;
      waiting.delete(business);
    }
    count = [...waiting.values()].reduce((sum, ids) => sum + ids.size, 0);
    return payloads;
  }

  return { add, take };
}

/** In the place of an id that is not sent; no id is empty. */
const tooLong = '';

/** `["node","business","id",…]` in ASCII, so that its bytes are its characters in whatever encoding the database has. */
function takePayload(node: string, business: string, ids: Set<string>): string {
  const parts = [quote(node), quote(business)];
  let length = parts.join().length + 2;
  for (const id of ids) {
    const whole = quote(id);
    const part = whole.length > maxIdBytes ? quote(tooLong) : whole;
    if (parts.length > 2 && length + part.length + 1 > maxPayload) break;
    ids.delete(id);
    parts.push(part);
    length += part.length + 1;
  }
  return `[${parts.join()}]`;
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

interface WakeUp {
  readonly node: string;
  readonly keys: readonly MessageKey[];
  /** There was more than could be named. */
  readonly isPartial: boolean;
}

/** What is not understood, of a later release or of a stranger, names nothing. */
export function decodeWakeUp(payload: string): WakeUp {
  const [node = '', business = '', ...ids] = parseStrings(payload);
  return {
    node,
    keys: ids.filter((id) => id !== tooLong).map((id) => ({ business, id })),
    isPartial: ids.includes(tooLong),
  };
}

function parseStrings(payload: string): string[] {
  try {
    const parsed: unknown = JSON.parse(payload);
    return Array.isArray(parsed) ? parsed.filter((item) => typeof item === 'string') : [];
  } catch {
    return [];
  }
}
