import { createMinuteLog } from '../../log-once-a-minute.ts';
import type { PostgresRisk } from '../../postgres-risks.ts';
import { nameOfHost, type PostgresHost, type PostgresTarget } from '../../postgres-url.ts';
import type { StoreLog } from '../log.ts';
import { createPatience } from '../patience.ts';
import { OperatorError } from './error.ts';
import { type Caller, createJobs } from './jobs.ts';
import { listenTo, openListener } from './listener.ts';
import { createPause } from './pause.ts';
import { createRoster, type Role, type Roster } from './roster.ts';
import { createServerChoice, type ServerChoice } from './server-choice.ts';
import { openSession, type Session } from './session.ts';
import type { Result, Row, Statement, Value } from './statement.ts';
import { createTimeouts } from './timeouts.ts';
import { openingOf, readerLimits, type TransactionKind } from './transactions.ts';

/** All that a node has to do with PostgreSQL goes through this. Every call ends within 2 s. */
export interface Connections extends AsyncDisposable {
  /**
   * One transaction in one round trip, on the disk, and with the synchronous standbys, once it resolves. Calls follow each
   * other on one session, so that those who write much make batches.
   *
   * @throws GatewayError STORE_UNAVAILABLE. `sqlStateOf` tells the server's reason, and `changedNothing` whether it may have
   *   been done all the same.
   */
  write(statements: readonly Statement[]): Promise<readonly Result[]>;
  /** One transaction that does not wait for the disk: for NOTIFY. */
  signal(statements: readonly Statement[]): Promise<readonly Result[]>;
  /** It is made again, once, if its session was lost. */
  read(text: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** Several that see one moment. */
  readAll(statements: readonly Statement[]): Promise<readonly Result[]>;
  /** Listens to one more channel. False: nothing listens at present; whoever connects listens to the listener's channels. */
  listen(channel: string): Promise<boolean>;
  /** The server in use; null while there is none. */
  readonly server: ServerInUse | null;
  /** What may be lost, in sentences. */
  readonly risks: readonly string[];
  /** Whether notifications come; without, only a poll finds what happened. */
  readonly isListening: boolean;
  /** Whether a session is there for each role. */
  readonly isComplete: boolean;
  /** Sessions that the server may have of this node, those that were given up included. */
  readonly sessions: number;
  /** Calls that were not answered yet. */
  readonly pending: number;
}

export interface ServerInUse {
  /** `host:port` */
  readonly name: string;
  readonly timeline: number;
  /** 180004 */
  readonly version: number;
}

export interface ConnectionsOptions {
  readonly target: PostgresTarget;
  /** It holds the password and nothing else. */
  readonly passwordFile?: string | null | undefined;
  /** A direct way to the same servers, if the target is a pooler. Null: the target itself, unless it is a pooler. */
  readonly listenTarget?: PostgresTarget | null | undefined;
  readonly acceptedRisks?: readonly PostgresRisk[] | undefined;
  /** From `minSessions` on; a host that is only watched has one more. */
  readonly maxSessions?: number | undefined;
  /** Behind a pooler; without one they are used anyway. */
  readonly namedStatements?: boolean | undefined;
  readonly applicationName?: string | undefined;
  readonly log?: StoreLog | undefined;
  /** How long a call waits for its answer; less than 2 s. */
  readonly patienceMs?: number | undefined;
  /** How long a PostgreSQL is waited for at the start. */
  readonly openMs?: number | undefined;
  readonly listener?: Listener | undefined;
  /**
   * Told of each session for writes before anything else is written there, so of each failover and restart: may migrate,
   * look at the timeline, and write. If it rejects, the session is not used; at the start an OperatorError ends the opening.
   */
  readonly beforeWrites?: ((session: FirstSession, server: ServerInUse) => Promise<void>) | undefined;
}

/** A session before it is used. */
export interface FirstSession extends Pick<Session, 'ask' | 'script'> {
  /** As `Connections.write`. */
  write(statements: readonly Statement[]): Promise<readonly Result[]>;
}

export interface Listener {
  /** As they are by the time of each connect. */
  readonly channels: readonly string[];
  readonly notified: (channel: string, payload: string) => void;
  /** The server has confirmed that it listens. What happened before may have been missed. */
  readonly listening: () => void;
}

/** How long it is waited at the start for what is done before the first write, such as migrations. */
const prepareMs = 120_000;
/** How long calls wait for a session that was lost before they are rejected at once. */
const graceMs = 1_000;
/** Between two looks at a host: while all is well, and while something is missing. */
const lookMs = { calm: 1_000, urgent: 100 };

/** @throws Error, with a message that tells the operator what to do, if it cannot be reached, or has a risk that is not accepted. */
export async function openConnections(options: ConnectionsOptions): Promise<Connections> {
  const { target, maxSessions = 6, applicationName = 'pingup-gateway', listener, log } = options;
  const {
    acceptedRisks = [],
    listenTarget = null,
    passwordFile = null,
    namedStatements = false,
    openMs = 5_000,
  } = options;
  const logOnce = log && createMinuteLog(log);
  await using opening = new AsyncDisposableStack();
  const timeouts = opening.use(createTimeouts());
  const common = { passwordFile, applicationName, namedStatements, timeouts };
  const changed = createPause();
  let isPooled = false;
  let isPreparing = false;

  const connect = (host: PostgresHost) => openSession({ ...common, target, host });

  async function openRole(role: Role, host: PostgresHost): Promise<Session> {
    if (role === 'listener' && listener)
      return openListener({ ...common, target: listenTarget ?? target, host, listener });
    const session = await connect(host);
    try {
      if (role === 'reader' && !session.isPooled) await session.ask(readerLimits);
      if (role === 'writer') await prepareWriter(session);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  async function prepareWriter(session: Session): Promise<void> {
    const { takesWrites, timeline, version } = session.hello;
    if (!takesWrites || timeline === null) throw new Error('The server takes no writes.');
    const server = { name: nameOfHost(session.host), timeline, version };
    const { ask, script } = session;
    const write = (statements: readonly Statement[]) => session.transact(statements, openingOf.write);
    isPreparing = true;
    await options.beforeWrites?.({ ask, script, write }, server).finally(() => {
      isPreparing = false;
    });
  }

  const roster: Roster = opening.use(
    createRoster({
      maxSessions,
      listens: () => listener !== undefined && (listenTarget !== null || !isPooled),
      open: openRole,
      opened: () => {
        jobs.dispatch();
        changed.end();
      },
      lost: () => {
        jobs.dispatch();
        choice.look();
      },
      failed: (role, reason) =>
        logOnce?.(role, { err: reason, role }, 'A session of PostgreSQL cannot be had. It is tried again.'),
    }),
  );

  const jobs = createJobs({
    sessions: (kind) => roster.of(roleOf(kind)),
    unavailable: (kind) => {
      const since = roster.missingSince(roleOf(kind));
      if (since === null || performance.now() - since <= graceMs) return null;
      // While the server answers, and has room for it, a session is about to come.
      return choice.trouble ?? (roster.isFull ? roster.lastReason : null);
    },
    readOnly: (session) => {
      roster.use(null);
      session.destroy(new Error('The server takes no writes any more.'));
      choice.look();
    },
  });

  const choice: ServerChoice = opening.use(
    createServerChoice({
      hosts: target.hosts,
      acceptedRisks,
      log,
      connect: async (host) => {
        const session = await connect(host);
        roster.watch(session);
        return session;
      },
      intervalMs: () => (roster.isComplete && choice.host ? lookMs.calm : lookMs.urgent),
      looked: async (session) => {
        roster.use(choice.host);
        changed.end();
        if (!session || choice.refusal) return;
        isPooled = session.isPooled;
        await roster.fill(session);
      },
    }),
  );

  const isReady = () => roster.isComplete && choice.host !== null;
  const refusal = () =>
    choice.refusal ?? (roster.lastReason instanceof OperatorError ? roster.lastReason.message : null);
  const isDecided = () => isReady() || refusal() !== null;
  const waitFor = (condition: () => boolean, milliseconds: number) =>
    timeouts.within(waitUntil(condition), milliseconds, changed.end).catch(() => undefined);
  await waitFor(isDecided, openMs);
  if (isPreparing) await waitFor(() => isDecided() || !isPreparing, prepareMs);
  const refused = refusal();
  if (refused) throw new OperatorError(refused);
  if (roster.of('writer').length === 0) throw notReached(target, choice.trouble ?? roster.lastReason);

  async function waitUntil(condition: () => boolean): Promise<void> {
    while (!condition()) await changed.wait(lookMs.urgent);
  }

  const patience = createPatience({ patienceMs: options.patienceMs });
  opening.defer(() => patience.close());
  opening.defer(() => jobs.close());
  const open = opening.move();

  async function run(kind: TransactionKind, statements: readonly Statement[]): Promise<readonly Result[]> {
    const caller: Caller = { isWaiting: true };
    return patience
      .call(() => jobs.run(kind, statements, caller))
      .finally(() => {
        caller.isWaiting = false;
      });
  }

  return {
    write: (statements) => run('write', statements),
    signal: (statements) => run('signal', statements),
    read: async (text, values = []) => (await run('read', [{ text, values }]))[0]?.rows ?? [],
    readAll: (statements) => run('read', statements),
    listen: async (channel) => {
      const sessions = roster.of('listener');
      await Promise.all(sessions.map((session) => listenTo(session, channel)));
      return sessions.length > 0;
    },
    get server() {
      return choice.server;
    },
    get risks() {
      return choice.risks;
    },
    get isListening() {
      return roster.of('listener').length > 0;
    },
    get isComplete() {
      return isReady();
    },
    get sessions() {
      return roster.count;
    },
    get pending() {
      return patience.pending;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function roleOf(kind: TransactionKind): Role {
  return kind === 'write' ? 'writer' : 'reader';
}

function notReached({ hosts }: PostgresTarget, cause: unknown): Error {
  const where = hosts.map(nameOfHost).join(', ');
  return new Error(
    `The store at ${where} cannot be reached (${reasonOf(cause)}). Check STORE_URL, and that PostgreSQL runs and takes writes.`,
    { cause },
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
