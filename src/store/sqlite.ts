import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Message } from '../message.ts';
import { persist } from '../persist.ts';
import type { Begun, NewSend } from '../send.ts';
import type { StoreLog } from './log.ts';
import type { MessagePage, MessageQuery, SendPage, SendQuery, Store } from './port.ts';
import { cursorOf, seqOf } from './sqlite-cursor.ts';
import { createFinder } from './sqlite-finder.ts';
import { type Link, openLink } from './sqlite-link.ts';
import { claimDatabase } from './sqlite-owner.ts';
import type { PrunedRows, PrunedTable } from './sqlite-protocol.ts';
import type { OnBatch } from './sqlite-queue.ts';
import { refusalOf } from './sqlite-refusal.ts';
import { createWatchers, type OnPush } from './watchers.ts';

export interface SqliteOptions {
  /** The database file. It and its directories are made where they are missing. */
  readonly path: string;
  readonly log?: StoreLog | undefined;
  readonly onBatch?: OnBatch | undefined;
  readonly onPush?: OnPush | undefined;
  /** How long a call waits for its answer; less than 2 s. */
  readonly patienceMs?: number | undefined;
}

/**
 * The store in one SQLite file, for one process. The file belongs to a worker thread, which writes what came in
 * during one commit together in the next.
 *
 * @throws Error, with a message that tells the operator what to do, when the file is in use by another process,
 *   damaged, not writable, of a newer schema, or not the gateway's.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const { path, log, onBatch, onPush, patienceMs } = options;
  await using opening = new AsyncDisposableStack();
  const file = await locate(path);
  opening.use(claimDatabase(file));

  const watchers = createWatchers(onPush);
  opening.defer(() => watchers.close());

  const link = opening.use(await openLink({ path: file, log, replaced: catchUp, onBatch, patienceMs }));
  await settleFormer(link, log);
  const open = opening.move();

  function tell(messages: readonly Message[]): void {
    for (const message of messages) watchers.tell(message);
  }

  /** A worker that died may have written or deleted something last that it did not live to tell. */
  async function catchUp(): Promise<void> {
    const ids = watchers.ids();
    while (ids.length > 0) {
      const some = ids.splice(-catchUpBatch);
      await link.ask(['find', some], (found) => {
        tell(found);
        const known = new Set(found.map((message) => message.id));
        forget(some.filter((id) => !known.has(id)));
      });
    }
  }

  function forget(ids: readonly string[]): void {
    for (const id of ids) watchers.forget(id);
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
    get pending() {
      return link.pending;
    },
    begin: (send) => begin(link, send),
    accept: (attempt, message) => link.ask(['accept', attempt, message], watchers.tell),
    fail: async (attempt, code, at) => {
      await link.ask(['fail', attempt, code, at]);
    },
    settleLost: (before, at) => link.ask(['settleLost', before, at]),
    sends: (query) => sends(link, query),
    record: async (news, quarantined = []) => {
      const watched = news.map((message) => message.id).filter(watchers.has);
      await link.ask(['record', news, quarantined, watched], tell);
    },
    find: createFinder(link),
    list: (query) => list(link, query),
    prune: async (before) => {
      const pruned = await pruneTable(link, 'messages', before, forget);
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

/** Only one process at a time has the file, and this one has begun nothing yet: whatever is open was left behind. */
async function settleFormer(link: Link, log: StoreLog | undefined): Promise<void> {
  const sends = await link.ask(['settleLost', Number.MAX_SAFE_INTEGER, Date.now()]);
  if (sends > 0) log?.info({ sends }, 'Sends that a former process left open are now UNKNOWN.');
}

/** How long giving a key back is tried. */
const giveBackMs = 60_000;

/** A begin that was given up lets nothing leave, so where it happened after all, its key is given back. */
async function begin(link: Link, send: NewSend): Promise<Begun> {
  let givenUp = false;
  function heard(begun: Begun): void {
    if (!givenUp || begun.kind !== 'begun') return;
    const giveBack = () => link.ask(['fail', begun.attempt, 'STORE_UNAVAILABLE', Date.now()]);
    persist(giveBack, giveBackMs).catch(() => undefined);
  }
  try {
    return await link.ask(['begin', send], heard);
  } catch (error) {
    givenUp = true;
    throw error;
  }
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
  const before = after === undefined ? null : seqOf('m', after);
  // One more than asked for tells whether there are more.
  const found = await link.ask(['list', { limit: first + 1, before, client, statuses }]);
  const entries = found.slice(0, first).map(({ seq, message }) => ({ cursor: cursorOf('m', seq), message }));
  return { entries, hasMore: found.length > first };
}

async function sends(link: Link, query: SendQuery): Promise<SendPage> {
  const { first, after, outcomes = null } = query;
  const before = after === undefined ? null : seqOf('s', after);
  const found = await link.ask(['sends', { limit: first + 1, before, outcomes }]);
  const entries = found.slice(0, first).map((send) => ({ cursor: cursorOf('s', send.id), send }));
  return { entries, hasMore: found.length > first };
}

async function pruneTable(
  link: Link,
  table: PrunedTable,
  before: number,
  heard?: (deleted: readonly string[]) => void,
): Promise<number> {
  let total = 0;
  for (let seq: number | null = 0; seq !== null; ) {
    const { deleted, next }: PrunedRows = await link.ask(['prune', table, before, seq], (pruned) =>
      heard?.(pruned.deleted),
    );
    total += deleted.length;
    seq = next;
  }
  return total;
}
