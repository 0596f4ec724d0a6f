import { statSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CallbackRoomError } from '../callback-room-error.ts';
import type { ForgottenClient } from '../forgotten-client.ts';
import { keyOfText, keyText, type Message, type MessageKey } from '../message.ts';
import { persist } from '../persist.ts';
import type { Begun, NewSend } from '../send.ts';
import type { OnStoreEvent } from '../store-event.ts';
import { defaultStoreLimits, type StoreLimits } from '../store-limits.ts';
import { createFinder } from './finder.ts';
import type { StoreLog } from './log.ts';
import { createLossReporter } from './losses.ts';
import type { Forgotten, QuarantinedCallback, Store } from './port.ts';
import { forgetClient } from './sqlite-forget-walk.ts';
import { type Link, openLink } from './sqlite-link.ts';
import { claimDatabase } from './sqlite-owner.ts';
import { listMessages, listQuarantined, listSends } from './sqlite-pages.ts';
import type { PrunedTable, Recorded } from './sqlite-protocol.ts';
import type { OnBatch } from './sqlite-queue.ts';
import { refusalOf } from './sqlite-refusal.ts';
import { startUpkeep, type UpkeepOptions } from './sqlite-upkeep.ts';
import { walk } from './sqlite-walk.ts';
import { createWatchers, type OnPush } from './watchers.ts';

export interface SqliteOptions extends UpkeepOptions {
  /** The database file. It and its directories are made where they are missing. */
  readonly path: string;
  readonly log?: StoreLog | undefined;
  readonly onBatch?: OnBatch | undefined;
  readonly onPush?: OnPush | undefined;
  readonly onEvent?: OnStoreEvent | undefined;
  readonly limits?: Partial<StoreLimits> | undefined;
  /** How long a call waits for its answer; less than 2 s. */
  readonly patienceMs?: number | undefined;
}

/**
 * The store in one SQLite file, for one process. The file belongs to a worker thread, which writes what came in
 * during one commit together in the next.
 *
 * @throws Error, with a message that tells the operator what to do, when the file is in use by another process,
 *   damaged, not writable, of a newer schema, or not the gateway's, or when acknowledged writes are missing in it.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const { path, log, onPush } = options;
  await using opening = new AsyncDisposableStack();
  const file = await locate(path);
  const { isFirst } = opening.use(claimDatabase(file));
  const isEmpty = !statSync(file, { throwIfNoEntry: false })?.size;

  const watchers = createWatchers(onPush);
  opening.defer(() => watchers.close());

  const limits = { ...defaultStoreLimits, ...options.limits };
  const link = opening.use(await openLink({ ...options, log, limits, path: file, replaced: catchUp }));
  if (isEmpty && !isFirst)
    log?.warn(
      { path: file },
      'The database was missing or empty, and a new one was made. If there was one before, stop the gateway and put it back.',
    );
  const reportLosses = createLossReporter(options);
  await settleFormer(link, log);
  const upkeep = opening.use(await startUpkeep(link, { ...options, path: file }));
  const open = opening.move();

  async function prune(before: number): Promise<number> {
    if (!(await upkeep.mayPrune())) return 0;
    const messages = await pruneTable(link, 'messages', before, letGo);
    const sends = await pruneTable(link, 'sends', before);
    const quarantined = await pruneTable(link, 'quarantine', before);
    if (messages + sends + quarantined > 0) await upkeep.emptyWal();
    return messages;
  }

  async function forgetAndEmpty(client: ForgottenClient): Promise<Forgotten> {
    const forgotten = await forgetClient(link, client, letGo);
    await upkeep.emptyWal();
    return forgotten;
  }

  async function deleteQuarantined(business: string, ids: readonly string[]): Promise<number> {
    const deleted = await link.ask(['deleteQuarantined', business, ids]);
    if (deleted > 0) await upkeep.emptyWal();
    return deleted;
  }

  function tell(messages: readonly Message[]): void {
    for (const message of messages) watchers.tell(message);
  }

  /** A worker that died may have written or deleted something last that it did not live to tell. */
  async function catchUp(): Promise<void> {
    const keys = watchers.keys();
    while (keys.length > 0) {
      const some = keys.splice(-catchUpBatch);
      await link.ask(['find', some.map(keyOfText)], (found) => {
        tell(found);
        const known = new Set(found.map(keyText));
        letGo(some.filter((key) => !known.has(key)));
      });
    }
  }

  /** Of messages that were deleted. */
  function letGo(keys: readonly string[]): void {
    for (const key of keys) watchers.forget(key);
  }

  /** Gets the answer also if nobody waits for it any more. What came back after it was dropped is told last. */
  function heard({ merged, losses }: Recorded): void {
    if (losses) {
      letGo(losses.dropped);
      reportLosses(losses);
    }
    tell(merged);
  }

  async function record(
    news: readonly Message[],
    quarantined: readonly QuarantinedCallback[] = [],
  ): Promise<void> {
    refuseLost(await link.ask(['record', news, quarantined, watchedOf(news)], heard));
  }

  async function release(business: string, id: string, news: readonly Message[]): Promise<void> {
    refuseLost(await link.ask(['release', business, id, news, watchedOf(news)], heard));
  }

  async function accept(attempt: string, message: Message): Promise<Message | undefined> {
    const known = await link.ask(['accept', attempt, message], (found) => found && watchers.tell(found));
    if (!known) options.onEvent?.('messageIdRepeated', 1);
    return known ?? undefined;
  }

  function watchedOf(news: readonly Message[]): string[] {
    return news.map(keyText).filter(watchers.has);
  }

  /**
   * Listens first, then reads. Calls are served in their order: a write that was called before the watch was open
   * is part of what the read finds, and one that was called after it knows that somebody watches, and tells.
   */
  async function watch(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined> | undefined> {
    const states = watchers.open(keyText(key));
    try {
      const found = await link.ask(['find', [key]], ([now]) => now && states.tell(now));
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
    findRepeat: async (business, idempotency) =>
      (await link.ask(['findRepeat', business, idempotency])) ?? undefined,
    accept,
    fail: async (business, attempt, code, at) => {
      await link.ask(['fail', business, attempt, code, at]);
    },
    settleLost: (before, at) => link.ask(['settleLost', before, at]),
    sends: (query) => listSends(link, query),
    record,
    release,
    deleteQuarantined,
    find: createFinder((keys) => link.ask(['find', keys])),
    list: (query) => listMessages(link, query),
    quarantined: (query) => listQuarantined(link, query),
    findQuarantined: async (business, id) => (await link.ask(['findQuarantined', business, id])) ?? undefined,
    forget: forgetAndEmpty,
    prune,
    vacuum: upkeep.vacuum,
    now: Date.now,
    get condition() {
      return upkeep.condition;
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
    const giveBack = () => link.ask(['fail', send.business, begun.attempt, 'STORE_UNAVAILABLE', Date.now()]);
    persist(giveBack, giveBackMs).catch(() => undefined);
  }
  try {
    return await link.ask(['begin', send], heard);
  } catch (error) {
    givenUp = true;
    throw error;
  }
}

/** @throws CallbackRoomError if there was no room for some of it. */
function refuseLost({ losses }: Recorded): void {
  const [refused] = losses?.refused ?? [];
  if (refused !== undefined) throw new CallbackRoomError(keyOfText(refused).business);
}

/** How many watched messages are read at a time after a worker was replaced. */
const catchUpBatch = 500;

/** The one true path of the file, so that two ways to it are one claim. Makes its directories. */
export async function locate(path: string): Promise<string> {
  const file = resolve(path);
  try {
    await mkdir(dirname(file), { recursive: true });
    return await realpath(file).catch(async () => join(await realpath(dirname(file)), basename(file)));
  } catch (error) {
    throw refusalOf(file, error);
  }
}

async function pruneTable(
  link: Link,
  table: PrunedTable,
  before: number,
  heard?: (found: readonly string[]) => void,
): Promise<number> {
  return walk((seq) => link.ask(['prune', table, before, seq], ({ found }) => heard?.(found)));
}
