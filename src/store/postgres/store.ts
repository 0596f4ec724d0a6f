import { randomBytes } from 'node:crypto';
import { CallbackRoomError } from '../../callback-room-error.ts';
import type { ForgottenClient } from '../../forgotten-client.ts';
import { keyText, type Message, type MessageKey } from '../../message.ts';
import { persist } from '../../persist.ts';
import { type PostgresTarget, parsePostgresUrl } from '../../postgres-url.ts';
import type { PostgresBackend } from '../../postgres-variables.ts';
import type { Begun, NewSend } from '../../send.ts';
import type { OnStoreEvent } from '../../store-event.ts';
import { defaultStoreLimits, type StoreLimits } from '../../store-limits.ts';
import { createFinder } from '../finder.ts';
import { createHealth } from '../health.ts';
import type { StoreLog } from '../log.ts';
import { createLossReporter } from '../losses.ts';
import type { Forgotten, QuarantinedCallback, Store } from '../port.ts';
import { createWatchers, type OnPush } from '../watchers.ts';
import { openConnections } from './connections.ts';
import { type PruneStep, type StepKind, type Stepped, waysOf } from './deleting.ts';
import { createFind } from './finding.ts';
import { createKinds } from './kinds.ts';
import { createLists } from './lists.ts';
import { settleLost } from './lost.ts';
import { migrate, readMigrations } from './migrations.ts';
import { createQueue } from './queue.ts';
import { inSchema } from './schema-text.ts';
import { holderText, repeatOf } from './send-row.ts';
import { decodeText, encodeKey } from './text.ts';

export interface PostgresOptions extends Omit<PostgresBackend, 'kind'> {
  readonly log?: StoreLog | undefined;
  readonly onBatch?: ((milliseconds: number, calls: number) => void) | undefined;
  readonly onPush?: OnPush | undefined;
  readonly onEvent?: OnStoreEvent | undefined;
  readonly limits?: Partial<StoreLimits> | undefined;
  /** How long a call waits for its answer; less than 2 s. */
  readonly patienceMs?: number | undefined;
  /** How long a PostgreSQL is waited for at the start. */
  readonly openMs?: number | undefined;
}

/** The lowest version of the schema that this release works with. */
const lowestVersion = 2;
/** How long giving a key back is tried. */
const giveBackMs = 60_000;

/**
 * The store in a PostgreSQL, for any number of nodes. What comes in while a transaction is out is written together in the next.
 *
 * @throws Error, with a message that tells the operator what to do, if it cannot be reached, has a risk that is not accepted,
 *   or its schema is not one that this release works with.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { schema, log, onPush, onEvent } = options;
  await using opening = new AsyncDisposableStack();
  const watchers = createWatchers(onPush);
  opening.defer(() => watchers.close());

  const migrations = await readMigrations();
  const connections = opening.use(
    await openConnections({
      ...options,
      target: targetOf(options.url),
      listenTarget: options.listenUrl === null ? null : targetOf(options.listenUrl),
      beforeWrites: (session) =>
        migrate(session, { schema, migrations, lowest: lowestVersion, runs: options.migrates }),
    }),
  );
  const limits = { ...defaultStoreLimits, ...options.limits };
  const health = createHealth(log);
  const kinds = createKinds(schema, limits);
  const { write, read } = connections;
  const queue = createQueue({ ...options, write, health, kinds: kinds.inOrder });
  opening.defer(async () => {
    health.close();
    await queue.close();
  });
  const reportLosses = createLossReporter(options);
  const findAll = createFind(schema, read);
  const find = createFinder(findAll);
  const lists = createLists(schema, read);
  const node = randomBytes(6).toString('base64url');
  let begun = 0;
  const open = opening.move();

  async function begin(send: NewSend): Promise<Begun> {
    begun += 1;
    const token = `${node}${begun}`;
    try {
      return await queue.ask(kinds.begin, { ...send, token });
    } catch (error) {
      // It lets nothing leave. If it happened after all, its key is given back.
      const { business, at: begunAt } = send;
      const giveBack = () => queue.ask(kinds.cancel, { business, token, begunAt, at: Date.now() });
      persist(giveBack, giveBackMs).catch(() => undefined);
      throw error;
    }
  }

  async function accept(attempt: string, message: Message): Promise<Message | undefined> {
    const acceptance = { attempt: attempt as Parameters<Store['accept']>[0], message };
    const known = await queue.ask(kinds.accept, acceptance, (found) => found && watchers.tell(found));
    if (!known) onEvent?.('messageIdRepeated', 1);
    return known;
  }

  async function record(
    news: readonly Message[],
    quarantined: readonly QuarantinedCallback[] = [],
  ): Promise<void> {
    queue.requireOpen();
    const keeping = quarantined.map((callback) =>
      queue.ask(kinds.keep, callback, (evicted) => report({ evicted })),
    );
    await Promise.all([mergeAll(news), ...keeping]);
  }

  /** @throws CallbackRoomError if there was no room for some of it. */
  async function mergeAll(news: readonly Message[]): Promise<void> {
    const merged = await Promise.allSettled(news.map((message) => mergeOne(message, false)));
    const failed = merged.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    const refused = news.filter((_, index) => isValue(merged[index], 'refused'));
    if (refused.length > 0) await mergeRefused(refused);
  }

  function mergeOne(message: Message, hasPlace: boolean) {
    return queue.ask(kinds.merge, { message, hasPlace }, (outcome) => {
      if (outcome === 'changed') wake(message);
    });
  }

  async function mergeRefused(news: readonly Message[]): Promise<void> {
    for (const [business, own] of Map.groupBy(news, (message) => message.business)) {
      const dropped = await queue.ask(kinds.makeRoom, { business, messages: own.length }, (keys) => {
        for (const key of keys) watchers.forget(key);
        report({ dropped: keys });
      });
      const retried = await Promise.all(
        own.map(async (message, index) => ({
          message,
          outcome: await mergeOne(message, index < dropped.length),
        })),
      );
      const refused = retried.filter(({ outcome }) => outcome === 'refused');
      if (refused.length === 0) continue;
      report({ refused: refused.map(({ message }) => keyText(message)) });
      throw new CallbackRoomError(business);
    }
  }

  function report(losses: Partial<Parameters<typeof reportLosses>[0]>): void {
    reportLosses({ evicted: [], dropped: [], refused: [], ...losses });
  }

  /** The state is read anew, whoever wrote it. */
  function wake(key: MessageKey): void {
    if (!watchers.has(keyText(key))) return;
    find(key).then(
      (found) => found && watchers.tell(found),
      () => wake(key),
    );
  }

  /** Listens first, then reads. */
  async function watch(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined> | undefined> {
    const states = watchers.open(keyText(key));
    try {
      const found = (await find(key)) ?? (await findLater(key));
      if (found) {
        watchers.tell(found);
        return states;
      }
    } catch (error) {
      await states.return?.();
      throw error;
    }
    await states.return?.();
    return undefined;
  }

  /** What was written before, by this node, may be on its way still. */
  async function findLater(key: MessageKey): Promise<Message | undefined> {
    if (queue.pending === 0) return undefined;
    await queue.settled();
    return find(key);
  }

  async function walk<Call extends { readonly after: number }>(
    kind: StepKind<Call & PruneStep> | StepKind<never>,
    call: Omit<Call, 'after'>,
  ): Promise<number> {
    let total = 0;
    for (let after: number | null = 0; after !== null; ) {
      const stepped: Stepped = await queue.ask(kind as StepKind, { ...call, after } as never, ({ keys }) => {
        for (const key of keys) watchers.forget(key);
      });
      total += stepped.count;
      after = stepped.next;
    }
    return total;
  }

  async function prune(before: number): Promise<number> {
    let messages = 0;
    for (const row of await read(inSchema(schema, 'select distinct business from :schema.business'))) {
      const business = decodeText(String(row['business']));
      messages += await walk(kinds.prunes.messages, { business, before });
      await walk(kinds.prunes.sends, { business, before });
      await walk(kinds.prunes.quarantine, { business, before });
    }
    return messages;
  }

  async function forget(client: ForgottenClient): Promise<Forgotten> {
    const forgotten = { messages: 0, sends: 0 };
    for (const [by, value] of waysOf(client)) {
      forgotten.messages += await walk(kinds.forgets[by].messages, { business: client.business, value });
      forgotten.sends += await walk(kinds.forgets[by].sends, { business: client.business, value });
    }
    return forgotten;
  }

  return {
    begin,
    findRepeat: async (business, idempotency) => {
      const values = [[encodeKey(business)], [encodeKey(idempotency.key)]];
      const [row] = await read(inSchema(schema, holderText), values);
      return row && repeatOf(row, idempotency);
    },
    accept,
    fail: async (business, attempt, code, at) => {
      await queue.ask(kinds.fail, { business, attempt, code, at });
    },
    settleLost: (before, at) => settleLost(schema, { read, queue, kind: kinds.lost }, { before, at }),
    sends: lists.sends,
    record,
    release: async (business, id, news) => {
      await mergeAll(news);
      await queue.ask(kinds.remove, { business, ids: [id] });
    },
    deleteQuarantined: (business, ids) => queue.ask(kinds.remove, { business, ids }),
    find,
    list: lists.messages,
    watch,
    quarantined: lists.quarantined,
    findQuarantined: lists.findQuarantined,
    forget,
    prune,
    get risks() {
      return connections.risks;
    },
    get watching() {
      return watchers.size;
    },
    get pending() {
      return queue.pending;
    },
    check: async () => {
      await queue.ask(kinds.check, null);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function isValue<T>(result: PromiseSettledResult<T> | undefined, value: T): boolean {
  return result?.status === 'fulfilled' && result.value === value;
}

function targetOf(url: string): PostgresTarget {
  const target = parsePostgresUrl(url);
  if (!target) throw new Error('STORE_URL is not understood.');
  return target;
}
