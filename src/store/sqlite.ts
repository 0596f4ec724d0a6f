import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Message } from '../message.ts';
import type { StoreLog } from './log.ts';
import type { Attempt, MessagePage, MessageQuery, Store } from './port.ts';
import { cursorOf, seqOf } from './sqlite-cursor.ts';
import { type Link, openLink } from './sqlite-link.ts';
import { claimDatabase } from './sqlite-owner.ts';
import type { PrunedTable } from './sqlite-protocol.ts';
import { refusalOf } from './sqlite-refusal.ts';
import { createWatchers } from './watchers.ts';

export interface SqliteOptions {
  /** The database file. It and its directories are made where they are missing. */
  readonly path: string;
  readonly log?: StoreLog | undefined;
}

/**
 * The store in one SQLite file, for one process. The file belongs to a worker thread, which writes what came in
 * during one commit together in the next.
 *
 * @throws Error, with a message that tells the operator what to do, when the file is in use by another process,
 *   damaged, not writable, of a newer schema, or not the gateway's.
 */
export async function openSqliteStore({ path, log }: SqliteOptions): Promise<Store> {
  await using opening = new AsyncDisposableStack();
  const file = await locate(path);
  opening.use(claimDatabase(file));

  const watchers = createWatchers();
  opening.defer(() => watchers.close());

  const link = opening.use(await openLink({ path: file, log, replaced: catchUp }));
  const open = opening.move();

  function tell(messages: readonly Message[]): void {
    for (const message of messages) watchers.tell(message);
  }

  /** A worker that died may have written something last that it did not live to tell. */
  async function catchUp(): Promise<void> {
    const ids = watchers.ids();
    while (ids.length > 0) await link.ask(['find', ids.splice(-catchUpBatch)], tell);
  }

  /**
   * Listens first, then reads. Calls are served in their order: a write that was called before the watch was open
   * is part of what the read finds, and one that was called after it knows that somebody watches, and tells.
   */
  async function watch(id: string): Promise<AsyncIterableIterator<Message, undefined> | undefined> {
    const states = watchers.open(id);
    try {
      const found = await link.ask(['find', [id]], tell);
      if (found.length > 0) return states;
    } catch (error) {
      await states.return?.();
      throw error;
    }
    await states.return?.();
    return undefined;
  }

  return {
    watch,
    get watching() {
      return watchers.size;
    },
    begin: async (text, at) => (await link.ask(['begin', text, at])) as Attempt,
    accept: (attempt, message) => link.ask(['accept', attempt, message], watchers.tell),
    fail: async (attempt, code, at) => {
      await link.ask(['fail', attempt, code, at]);
    },
    record: async (news, quarantined = []) => {
      const watched = news.map((message) => message.id).filter(watchers.has);
      await link.ask(['record', news, quarantined, watched], tell);
    },
    find: async (id) => (await link.ask(['find', [id]]))[0],
    list: (query) => list(link, query),
    prune: async (before) => {
      const pruned = await pruneTable(link, 'messages', before);
      await pruneTable(link, 'sends', before);
      await pruneTable(link, 'quarantine', before);
      return pruned;
    },
    check: async () => {
      await link.ask(['check']);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** How many watched messages are read at a time after a worker was replaced. */
const catchUpBatch = 500;

/** The one true path of the file, so that two ways to it are one claim. Makes its directories. */
async function locate(path: string): Promise<string> {
  const file = resolve(path);
  try {
    await mkdir(dirname(file), { recursive: true });
    return await realpath(file).catch(async () => join(await realpath(dirname(file)), basename(file)));
  } catch (error) {
    throw refusalOf(file, error);
  }
}

async function list(link: Link, query: MessageQuery): Promise<MessagePage> {
  const { first, after, client = null, statuses = null } = query;
  const before = after === undefined ? null : seqOf(after);
  // One more than asked for tells whether there are more.
  const found = await link.ask(['list', { limit: first + 1, before, client, statuses }]);
  const entries = found.slice(0, first).map(({ seq, message }) => ({ cursor: cursorOf(seq), message }));
  return { entries, hasMore: found.length > first };
}

async function pruneTable(link: Link, table: PrunedTable, before: number): Promise<number> {
  let total = 0;
  let deleted: number;
  do {
    deleted = await link.ask(['prune', table, before]);
    total += deleted;
  } while (deleted > 0);
  return total;
}
