import { type CursorKind, cursorOf, numberOf } from './cursor.ts';
import type {
  MessagePage,
  MessageQuery,
  QuarantinePage,
  QuarantineQuery,
  SendPage,
  SendQuery,
} from './port.ts';
import type { Link } from './sqlite-link.ts';

export async function listMessages(link: Link, query: MessageQuery): Promise<MessagePage> {
  const { business, first, after, client = null, statuses = null } = query;
  const page = pageOf('m', first, after);
  const found = await link.ask(['list', { business, ...page, client, statuses }]);
  const entries = found
    .slice(0, first)
    .map(({ number, message }) => ({ cursor: cursorOf('m', number), message }));
  return { entries, hasMore: found.length > first };
}

export async function listSends(link: Link, query: SendQuery): Promise<SendPage> {
  const { business, first, after, outcomes = null } = query;
  const found = await link.ask(['sends', { business, ...pageOf('s', first, after), outcomes }]);
  const entries = found.slice(0, first).map((send) => ({ cursor: cursorOf('s', send.id), send }));
  return { entries, hasMore: found.length > first };
}

export async function listQuarantined(
  link: Link,
  { business, first, after }: QuarantineQuery,
): Promise<QuarantinePage> {
  const found = await link.ask(['quarantined', { business, ...pageOf('q', first, after) }]);
  const entries = found
    .slice(0, first)
    .map((entry) => ({ cursor: cursorOf('q', entry.id), callback: entry }));
  return { entries, hasMore: found.length > first };
}

/** One more than asked for tells whether there are more. */
function pageOf(kind: CursorKind, first: number, after: string | undefined) {
  return { limit: first + 1, before: after === undefined ? null : numberOf(kind, after) };
}
