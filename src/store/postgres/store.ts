import type { Message, MessageKey } from '../../message.ts';
import { type PostgresTarget, parsePostgresUrl } from '../../postgres-url.ts';
import type { PostgresBackend } from '../../postgres-variables.ts';
import type { Attempt } from '../../send.ts';
import type { OnStoreEvent } from '../../store-event.ts';
import { defaultStoreLimits, type StoreLimits } from '../../store-limits.ts';
import { createFinder } from '../finder.ts';
import { createHealth } from '../health.ts';
import type { StoreLog } from '../log.ts';
import { createLossReporter } from '../losses.ts';
import type { Store } from '../port.ts';
import { watchRetentionWait } from '../retention-wait.ts';
import type { OnPush } from '../watchers.ts';
import { createBegin } from './beginning.ts';
import { clockStatement, createServerClock } from './clock.ts';
import { openConnections } from './connections.ts';
import { createEpoch, guardWrites } from './epoch.ts';
import { createFind } from './finding.ts';
import { createKinds } from './kinds.ts';
import { createLists } from './lists.ts';
import { settleLost } from './lost.ts';
import { migrate, readMigrations } from './migrations.ts';
import { createQueue } from './queue.ts';
import { createRecorder } from './recording.ts';
import { createFindRepeat } from './send-row.ts';
import { createStoreServer } from './store-server.ts';
import { createWalker } from './walking.ts';
import { prepareWatches } from './watches.ts';

export interface PostgresOptions extends Omit<PostgresBackend, 'kind'> {
  readonly log?: StoreLog | undefined;
  readonly onBatch?: ((milliseconds: number, calls: number) => void) | undefined;
  readonly onPush?: OnPush | undefined;
  readonly onEvent?: OnStoreEvent | undefined;
  readonly limits?: Partial<StoreLimits> | undefined;
  /** How long a call waits for its answer; less than 2 s. */
  readonly patienceMs?: number | undefined;
  /** Between two looks for what no notification has told of, while notifications come. */
  readonly pollMs?: number | undefined;
  /** How long a PostgreSQL is waited for at the start. */
  readonly openMs?: number | undefined;
}

/** The lowest version of the schema that this release works with. */
const lowestVersion = 2;

/**
 * The store in a PostgreSQL, for any number of nodes. What comes in while a transaction is out is written together in the next.
 *
 * @throws Error, with a message that tells the operator what to do, if it cannot be reached, has a risk that is not accepted,
 *   or its schema is not one that this release works with.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { schema, log, onEvent, migrates } = options;
  await using opening = new AsyncDisposableStack();
  const watching = prepareWatches(schema);
  const epoch = createEpoch({ schema, log, replaced: watching.reset });
  const migrations = await readMigrations();
  const clock = createServerClock();
  const connections = opening.use(
    await openConnections({
      ...options,
      target: targetOf(options.url),
      listenTarget: options.listenUrl === null ? null : targetOf(options.listenUrl),
      listener: watching.listener,
      beforeWrites: async (session, server) => {
        await epoch.requireStore(session);
        await migrate(session, { schema, migrations, lowest: lowestVersion, runs: migrates });
        await epoch.follow(session, server);
        clock.set(await session.ask(clockStatement(schema)));
      },
    }),
  );
  const { read, readAll } = connections;
  const write = guardWrites(epoch, connections.write);
  const watches = opening.use(watching.start(connections, { ...options, epoch }));
  const { changed } = watches;
  const kinds = createKinds(schema, { ...defaultStoreLimits, ...options.limits }, watches.has);
  const health = createHealth(log);
  const queue = createQueue({ ...options, write, health, kinds: kinds.inOrder });
  opening.defer(async () => {
    health.close();
    await queue.close();
  });

  const retentionWait = opening.use(
    await watchRetentionWait(async () => {
      clock.set(await queue.ask(kinds.tick, null));
      return clock.waitsUntil;
    }, log),
  );
  const find = createFinder(createFind(schema, readAll));
  const reportLosses = createLossReporter(options);
  const { record, release } = createRecorder({ queue, kinds, changed, reportLosses });
  const { prune, forget } = createWalker({ schema, read, queue, kinds, changed, retentionWait });
  const lists = createLists(schema, read);
  const open = opening.move();

  async function accept(attempt: Attempt, message: Message): Promise<Message | undefined> {
    const known = await queue.ask(kinds.accept, { attempt, message }, (state) => {
      if (state) changed([{ ...state, change: state.asOf, state }]);
    });
    if (!known) onEvent?.('messageIdRepeated', 1);
    return known?.message ?? undefined;
  }

  /** What this node has written before may be on its way still when the first look finds nothing. */
  async function watch(key: MessageKey): Promise<AsyncIterableIterator<Message, undefined> | undefined> {
    const states = await watches.open(key);
    if (states || queue.pending === 0) return states;
    await queue.settled();
    return watches.open(key);
  }

  return {
    begin: createBegin(queue, kinds, clock.holdKey),
    findRepeat: createFindRepeat(schema, read, clock.holdKey),
    accept,
    fail: async (business, attempt, code, at) => {
      await queue.ask(kinds.fail, { business, attempt, code, at });
    },
    settleLost: (before, at) => settleLost(schema, { read, queue, kind: kinds.lost }, { before, at }),
    sends: lists.sends,
    record,
    release,
    deleteQuarantined: (business, ids) => queue.ask(kinds.remove, { business, ids }),
    find,
    list: lists.messages,
    watch,
    quarantined: lists.quarantined,
    findQuarantined: lists.findQuarantined,
    forget,
    prune,
    get risks() {
      return [...connections.risks, ...(epoch.loss === null ? [] : [epoch.loss])];
    },
    get condition() {
      // The write-ahead log is the server's, and so is the look-out for damage.
      return { walBytes: 0, damage: null, retentionWaitsUntil: retentionWait.until };
    },
    server: createStoreServer({ connections, schema, maxSessions: options.maxSessions }),
    get watching() {
      return watches.size;
    },
    get pending() {
      return queue.pending;
    },
    now: clock.now,
    check: async () => {
      await queue.ask(kinds.check, null);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function targetOf(url: string): PostgresTarget {
  const target = parsePostgresUrl(url);
  if (!target) throw new Error('STORE_URL is not understood.');
  return target;
}
