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
import type { NumberedMessage, PageOfMessages } from './sqlite-protocol.ts';

/** The table of messages. Whoever calls sees to the transaction. */
export interface MessageTable {
  /** Adds what is news, and returns all that is then known. */
  merge(news: Message): Message;
  find(key: MessageKey): Message | undefined;
  /** Newest first. Reads at most `limit` rows for each status, whatever the size of the table. */
  list(page: PageOfMessages): NumberedMessage[];
}

export function messageTable(db: DatabaseSync): MessageTable {
  const columns = 'seq, business, id, details, history';
  const byKey = db.prepare(`SELECT ${columns} FROM messages WHERE business = ? AND id = ?`);
  const selectPage = `SELECT ${columns} FROM messages WHERE business = ? AND status = ?`;
  const page = 'seq < ? ORDER BY seq DESC LIMIT ?';
  const byStatus = db.prepare(`${selectPage} AND ${page}`);
  const byClient = db.prepare(`${selectPage} AND client = ? AND ${page}`);
  const insert = db.prepare(
    `INSERT INTO messages (client, status, updated_at, details, history, business, id, created_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?3)`,
  );
  const update = db.prepare(
    'UPDATE messages SET client = ?, status = ?, updated_at = ?, details = ?, history = ? WHERE seq = ?',
  );

  function mergeIn(news: Message): Message {
    const row = byKey.get(news.business, news.id);
    const known = row && messageOf(row);
    const merged = merge(known, news);
    if (!row) insert.run(...valuesOf(merged), merged.business, merged.id);
    else if (merged !== known) update.run(...valuesOf(merged), Number(row['seq']));
    return merged;
  }

  function list({ business, limit, before, client, statuses }: PageOfMessages): NumberedMessage[] {
    const below = before ?? Number.MAX_SAFE_INTEGER;
    return [...new Set(statuses ?? deliveryStatuses)]
      .flatMap((status) =>
        client === null
          ? byStatus.all(business, status, below, limit)
          : byClient.all(business, status, client, below, limit),
      )
      .sort((a, b) => Number(b['seq']) - Number(a['seq']))
      .slice(0, limit)
      .map(numbered);
  }

  return {
    list,
    merge: mergeIn,
    find: ({ business, id }) => {
      const row = byKey.get(business, id);
      return row && messageOf(row);
    },
  };
}

type Row = Record<string, SQLOutputValue>;

/** An event as its row keeps it: without the names, at half the size. */
type PackedEvent = readonly [DeliveryStatus, number, number, string | null, DeliveryFailure | null];

function valuesOf(message: Message) {
  const { details, history } = message;
  return [
    details?.client ?? null,
    statusOf(message),
    updatedAtOf(message),
    details && JSON.stringify(details),
    JSON.stringify(history.map(pack)),
  ] as const;
}

function messageOf({ business, id, details, history }: Row): Message {
  return {
    business: String(business),
    id: String(id),
    details: JSON.parse(String(details)),
    history: (JSON.parse(String(history)) as PackedEvent[]).map(unpack),
  };
}

function numbered(row: Row): NumberedMessage {
  return { seq: Number(row['seq']), message: messageOf(row) };
}

function pack({ status, at, receivedAt, rawStatus, failure }: StatusEvent): PackedEvent {
  return [status, at, receivedAt, rawStatus, failure];
}

function unpack([status, at, receivedAt, rawStatus, failure]: PackedEvent): StatusEvent {
  return { status, at, receivedAt, rawStatus, failure };
}
