import type { Send as KnownSend } from '../send.ts';
import type { SendPage } from '../store/port.ts';
import { viewPlace } from './message-view.ts';
import type { Send, SendConnection } from './send-connection-types.ts';

/** A page of sends as a Relay connection. */
export function viewSends(page: SendPage, after: string | null): SendConnection {
  const edges = page.entries.map(({ cursor, send }) => ({ cursor, node: viewSend(send) }));
  return { edges, pageInfo: viewPlace(page, after) };
}

function viewSend({
  id,
  business,
  text,
  begunAt,
  settledAt,
  outcome,
  errorCode,
  messageId,
}: KnownSend): Send {
  const { client, clientPhone, clientName } = text;
  return {
    id,
    business,
    at: begunAt,
    settledAt,
    client,
    clientPhone,
    clientName,
    outcome,
    errorCode,
    messageId,
  };
}
