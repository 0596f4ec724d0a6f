import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  type DeliveryFailure,
  type DeliveryStatus,
  deliveryStatuses,
  type Message,
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
  find(id: string): Message | undefined;
  /** Newest first. Reads at most `limit` rows for each status, whatever the size of the table. */
  list(page: PageOfMessages): NumberedMessage[];
}

export function messageTable(db: DatabaseSync): MessageTable {
  const columns = 'seq, id, details, history';
  const page = 'seq < ? ORDER BY seq DESC LIMIT ?';
  const byId = db.prepare(`SELECT ${columns} FROM messages WHERE id = ?`);
  const newest = db.prepare(`SELECT ${columns} FROM messages WHERE ${page}`);
  const byStatus = db.prepare(`SELECT ${columns} FROM messages WHERE status = ? AND ${page}`);
  const byClient = db.prepare(`SELECT ${columns} FROM messages WHERE client = ? AND status = ? AND ${page}`);
  const insert = db.prepare(
    `INSERT INTO messages (client, status, updated_at, details, history, id, created_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?3)`,
  );
  const update = db.prepare(
    'UPDATE messages SET client = ?, status = ?, updated_at = ?, details = ?, history = ? WHERE seq = ?',
  );

  function mergeIn(news: Message): Message {
    const row = byId.get(news.id);
    const known = row && messageOf(row);
    const merged = merge(known, news);
    if (!row) insert.run(...valuesOf(merged), merged.id);
    else if (merged !== known) update.run(...valuesOf(merged), Number(row['seq']));
    return merged;
  }

  function list({ limit, before, client, statuses }: PageOfMessages): NumberedMessage[] {
    const below = before ?? Number.MAX_SAFE_INTEGER;
    if (client === null && statuses === null) return newest.all(below, limit).map(numbered);
    return [...new Set(statuses ?? deliveryStatuses)]
      .flatMap((status) =>
        client === null ? byStatus.all(status, below, limit) : byClient.all(client, status, below, limit),
      )
      .sort((a, b) => Number(b['seq']) - Number(a['seq']))
      .slice(0, limit)
      .map(numbered);
  }

  return {
    list,
    merge: mergeIn,
    find: (id) => {
      const row = byId.get(id);
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

function messageOf({ id, details, history }: Row): Message {
  return {
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
