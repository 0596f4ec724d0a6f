import { failureOf, type Message as KnownMessage, revisionOf, statusOf, updatedAtOf } from '../message.ts';
import type { MessagePage } from '../store/port.ts';
import type { MessageConnection } from './connection-types.ts';
import type { Message } from './message-types.ts';

/** A message as the schema shows it. */
export function viewMessage(message: KnownMessage): Message {
  const details = message.details;
  return {
    id: message.id,
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
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasMore,
      hasPreviousPage: after !== null,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
