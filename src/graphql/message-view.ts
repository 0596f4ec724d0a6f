import { failureOf, type Message as KnownMessage, revisionOf, statusOf, updatedAtOf } from '../message.ts';
import type { MessagePage } from '../store/port.ts';
import type { MessageConnection, PageInfo } from './connection-types.ts';
import type { Message } from './message-types.ts';

/** A message as the schema shows it. */
export function viewMessage(message: KnownMessage): Message {
  const details = message.details;
  return {
    id: message.id,
    business: message.business,
    client: details?.client ?? null,
    clientPhone: details?.clientPhone ?? null,
    clientName: details?.clientName ?? null,
    textMessage: details?.textMessage ?? null,
    delay: details?.delay ?? null,
    scheduledFor: details?.scheduledFor ?? null,
    status: statusOf(message),
    revision: revisionOf(message),
    history: message.history,
    failure: failureOf(message),
    acceptedAt: details?.acceptedAt ?? null,
    updatedAt: updatedAtOf(message),
  };
}

/** A page as a Relay connection. */
export function viewPage(page: MessagePage, after: string | null): MessageConnection {
  const edges = page.entries.map(({ cursor, message }) => ({ cursor, node: viewMessage(message) }));
  return { edges, pageInfo: viewPlace(page, after) };
}

/** @param after the cursor that the page starts after. */
export function viewPlace({ entries, hasMore }: AnyPage, after: string | null): PageInfo {
  return {
    hasNextPage: hasMore,
    hasPreviousPage: after !== null,
    startCursor: entries.at(0)?.cursor ?? null,
    endCursor: entries.at(-1)?.cursor ?? null,
  };
}

type AnyPage = Pick<MessagePage, 'hasMore'> & { readonly entries: readonly { readonly cursor: string }[] };
