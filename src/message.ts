/**
 * What is known of one WhatsApp message: a set of status events, at most one for each status.
 *
 * Merging two such sets is commutative, associative and idempotent. Callbacks may therefore repeat, arrive in
 * any order, or arrive before the send's own response: the result is the same, and needs no code of its own.
 */

/** Every status a message can have, from the least to the furthest. The status of a message is the furthest. */
export const deliveryStatuses = ['ACCEPTED', 'SENT', 'FAILED', 'DELIVERED', 'READ'] as const;

export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** Why a message failed, in the provider's words. */
export interface DeliveryFailure {
  readonly code: string | null;
  readonly reason: string | null;
}

/** One thing that happened to a message. Instants are milliseconds since the epoch. */
export interface StatusEvent {
  readonly status: DeliveryStatus;
  /** When it happened: the provider's timestamp where it gave one, otherwise `receivedAt`. */
  readonly at: number;
  /** When the gateway learnt of it. */
  readonly receivedAt: number;
  /** The provider's own word for it; null for what the gateway saw itself (ACCEPTED). */
  readonly rawStatus: string | null;
  /** Only ever set on a FAILED event. */
  readonly failure: DeliveryFailure | null;
}

/** What was sent, and when Pingup accepted it. Instants are milliseconds since the epoch. */
export interface SendDetails {
  readonly client: string | null;
  readonly clientPhone: string | null;
  readonly clientName: string | null;
  /** Null where texts are not kept. */
  readonly textMessage: string | null;
  /** As Pingup takes it: a positive whole number and a unit of w, d, h, m, s (`2d`). */
  readonly delay: string | null;
  /** The delay as an instant. */
  readonly scheduledFor: number | null;
  readonly acceptedAt: number;
}

/** Which message. Pingup's ids are unique within one business, and mean nothing in another. */
export interface MessageKey {
  /** The business that sent it, as in Pingup's addresses: it holds no slash. */
  readonly business: string;
  /** Pingup's id of the message, an opaque string. */
  readonly id: string;
}

export interface Message extends MessageKey {
  /** Null while the message is known from callbacks only. */
  readonly details: SendDetails | null;
  /** At least one event, at most one for each status, by `at` and then by status. */
  readonly history: readonly StatusEvent[];
}

/** A key as one string: equal for equal keys, and for no others. */
export function keyText({ business, id }: MessageKey): string {
  return `${business}/${id}`;
}

/** Undoes `keyText`. */
export function keyOfText(text: string): MessageKey {
  const slash = text.indexOf('/');
  return { business: text.slice(0, slash), id: text.slice(slash + 1) };
}

/** The furthest status: READ over DELIVERED over FAILED over SENT over ACCEPTED. */
export function statusOf(message: Message): DeliveryStatus {
  const rank = Math.max(...message.history.map((event) => rankOf(event.status)));
  return deliveryStatuses[rank] ?? 'ACCEPTED';
}

/** How many events are known of the message. It only grows. */
export function revisionOf(message: Message): number {
  return message.history.length;
}

/** Why the message failed, while FAILED is its status: a delivery proven later takes the failure back. */
export function failureOf(message: Message): DeliveryFailure | null {
  if (statusOf(message) !== 'FAILED') return null;
  return message.history.find((event) => event.status === 'FAILED')?.failure ?? null;
}

/** When the gateway last learnt something of the message, in milliseconds since the epoch. */
export function updatedAtOf(message: Message): number {
  return Math.max(...message.history.map((event) => event.receivedAt));
}

/** True once no later event can change the status. */
export function isFinal(message: Message): boolean {
  return message.history.some((event) => event.status === 'READ');
}

/** All that is known of a message from two sources, which have one key. Returns `known` itself where `news` adds nothing. */
export function merge(known: Message | undefined, news: Message): Message {
  if (!known) return { ...news, history: mergeHistories([], news.history) };
  const details = preferred(known.details, news.details, compareDetails);
  const history = mergeHistories(known.history, news.history);
  return details === known.details && history === known.history ? known : { ...known, details, history };
}

function mergeHistories(known: readonly StatusEvent[], news: readonly StatusEvent[]): readonly StatusEvent[] {
  const byStatus = new Map(known.map((event) => [event.status, event]));
  let changed = false;
  for (const event of news) {
    const before = byStatus.get(event.status);
    if (before && compareEvents(before, event) <= 0) continue;
    byStatus.set(event.status, event);
    changed = true;
  }
  return changed ? [...byStatus.values()].sort(chronologically) : known;
}

function chronologically(a: StatusEvent, b: StatusEvent): number {
  return a.at - b.at || rankOf(a.status) - rankOf(b.status);
}

/** A total order over the events of one status, so that both sides of a merge prefer the same one: the earliest. */
function compareEvents(a: StatusEvent, b: StatusEvent): number {
  return (
    a.at - b.at ||
    a.receivedAt - b.receivedAt ||
    compareStrings(a.rawStatus, b.rawStatus) ||
    compareStrings(a.failure?.code, b.failure?.code) ||
    compareStrings(a.failure?.reason, b.failure?.reason) ||
    Number(a.failure === null) - Number(b.failure === null)
  );
}

function compareDetails(a: SendDetails, b: SendDetails): number {
  return a.acceptedAt - b.acceptedAt || compareStrings(JSON.stringify(a), JSON.stringify(b));
}

function preferred<T>(a: T | null, b: T | null, compare: (a: T, b: T) => number): T | null {
  if (a === null || b === null) return a ?? b;
  return compare(a, b) <= 0 ? a : b;
}

/** Text before no text, then by code unit. */
function compareStrings(a: string | null | undefined, b: string | null | undefined): number {
  if (a === b || (a == null && b == null)) return 0;
  if (a == null) return 1;
  if (b == null) return -1;
  return a < b ? -1 : 1;
}

function rankOf(status: DeliveryStatus): number {
  return deliveryStatuses.indexOf(status);
}
