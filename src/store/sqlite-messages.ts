import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  type DeliveryFailure,
  type DeliveryStatus,
  deliveryStatuses,
  type Message,
  type MessageKey,
  merge,
  type StatusEvent,
  statusOf,
  updatedAtOf,
} from '../message.ts';
import type { BusinessTable } from './sqlite-businesses.ts';
import type { NumberedMessage, PageOfMessages } from './sqlite-protocol.ts';

/** The table of messages. Whoever calls sees to the transaction. */
export interface MessageTable {
  /**
   * Adds what is news, and returns all that is then known. Undefined: it is the first news of its id, without details,
   * and `hasRoom` says that the business has no room for one more of these. Nothing was changed then.
   */
  merge(news: Message, hasRoom: (business: string) => boolean): Message | undefined;
  /**
   * Adds what the answer to a send says. Undefined: the id is that of a message of another send, and nothing was
   * changed. A repeat for the same send changes nothing either.
   */
  accept(message: Message, send: number): Message | undefined;
  find(key: MessageKey): Message | undefined;
  /** Newest first. Reads at most `limit` rows for each status, whatever the size of the table. */
  list(page: PageOfMessages): NumberedMessage[];
}

export function messageTable(db: DatabaseSync, businesses: Pick<BusinessTable, 'nextNumber'>): MessageTable {
  const columns = 'seq, business, number, id, send, details, history';
  const byKey = db.prepare(`SELECT ${columns} FROM messages WHERE business = ? AND id = ?`);
  const selectPage = `SELECT ${columns} FROM messages WHERE business = ? AND status = ?`;
  const page = 'number < ? ORDER BY number DESC LIMIT ?';
  const byStatus = db.prepare(`${selectPage} AND ${page}`);
  const byClient = db.prepare(`${selectPage} AND client = ? AND ${page}`);
  const insert = db.prepare(
    `INSERT INTO messages (status, updated_at, history, client, phone, details, send, business, number, id, created_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?2)`,
  );
  // Most news is of a status alone, and then the indexes of client and phone are not touched.
  const updateStatus = db.prepare(
    'UPDATE messages SET status = ?, updated_at = ?, history = ? WHERE seq = ?',
  );
  const updateAll = db.prepare(
    `UPDATE messages SET status = ?, updated_at = ?, history = ?, client = ?, phone = ?, details = ?,
       send = coalesce(?, send)
     WHERE seq = ?`,
  );

  function mergeInto(row: Row, news: Message, send: number | null): Message {
    const known = messageOf(row);
    const merged = merge(known, news);
    if (merged === known) return known;
    const seq = Number(row['seq']);
    if (merged.details === known.details) updateStatus.run(...statusValues(merged), seq);
    else updateAll.run(...statusValues(merged), ...detailValues(merged), send, seq);
    return merged;
  }

  function add(news: Message, send: number | null): Message {
    const message = merge(undefined, news);
    const { business, id } = message;
    const number = businesses.nextNumber('message', business);
    insert.run(...statusValues(message), ...detailValues(message), send, business, number, id);
    return message;
  }

  function list({ business, limit, before, client, statuses }: PageOfMessages): NumberedMessage[] {
    const below = before ?? Number.MAX_SAFE_INTEGER;
    return [...new Set(statuses ?? deliveryStatuses)]
      .flatMap((status) =>
        client === null
          ? byStatus.all(business, status, below, limit)
          : byClient.all(business, status, client, below, limit),
      )
      .sort((a, b) => Number(b['number']) - Number(a['number']))
      .slice(0, limit)
      .map(numbered);
  }

  return {
    list,
    merge: (news, hasRoom) => {
      const row = byKey.get(news.business, news.id);
      if (row) return mergeInto(row, news, null);
      return news.details !== null || hasRoom(news.business) ? add(news, null) : undefined;
    },
    accept: (message, send) => {
      const row = byKey.get(message.business, message.id);
      if (!row) return add(message, send);
      const isAnothers = row['details'] !== null && row['send'] !== send;
      return isAnothers ? undefined : mergeInto(row, message, send);
    },
    find: ({ business, id }) => {
      const row = byKey.get(business, id);
      return row && messageOf(row);
    },
  };
}

type Row = Record<string, SQLOutputValue>;

/** An event as its row keeps it: without the names, at half the size. */
type PackedEvent = readonly [DeliveryStatus, number, number, string | null, DeliveryFailure | null];

export function statusValues(message: Message) {
  return [statusOf(message), updatedAtOf(message), JSON.stringify(message.history.map(pack))] as const;
}

export function detailValues({ details }: Message) {
  return [details?.client ?? null, details?.clientPhone ?? null, details && JSON.stringify(details)] as const;
}

export function messageOf({ business, id, details, history }: Row): Message {
  return {
    business: String(business),
    id: String(id),
    details: JSON.parse(String(details)),
    history: (JSON.parse(String(history)) as PackedEvent[]).map(unpack),
  };
}

function numbered(row: Row): NumberedMessage {
  return { number: Number(row['number']), message: messageOf(row) };
}

function pack({ status, at, receivedAt, rawStatus, failure }: StatusEvent): PackedEvent {
  return [status, at, receivedAt, rawStatus, failure];
}

function unpack([status, at, receivedAt, rawStatus, failure]: PackedEvent): StatusEvent {
  return { status, at, receivedAt, rawStatus, failure };
}
