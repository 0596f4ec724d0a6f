import type { PostgresHost } from '../../postgres-url.ts';
import { createLeftovers } from './leftovers.ts';
import type { Session } from './session.ts';

export type Role = 'writer' | 'reader' | 'listener';

/** The sessions of this node at the server in use, never more than its limit. */
export interface Roster extends Disposable {
  of(role: Role): readonly Session[];
  /** All that the server may have of this node, those that were given up included. */
  readonly count: number;
  readonly isComplete: boolean;
  /** No session can be made before the server has ended one that was given up. */
  readonly isFull: boolean;
  /** Why the last session was lost, or could not be made. */
  readonly lastReason: unknown;
  /** Since when, by `performance.now()`, there is no session of the role; null: there is one. */
  missingSince(role: Role): number | null;
  /** Moves to another server; all sessions at the last one are destroyed. */
  use(host: PostgresHost | null): void;
  /** Makes what is missing, one at a time, for as long as that works. */
  fill(watching: Session): Promise<void>;
  /** The session that watches a host counts too. */
  watch(session: Session): void;
}

export interface RosterOptions {
  readonly maxSessions: number;
  readonly listens: () => boolean;
  /** Resolves once the session can be used in its role. */
  readonly open: (role: Role, host: PostgresHost) => Promise<Session>;
  readonly opened: (role: Role) => void;
  readonly lost: () => void;
  /** A session could not be made. It is tried again. */
  readonly failed: (role: Role, reason: unknown) => void;
}

/** One for writes, one to listen, one that watches the server, and one more while one of them is replaced. */
const besideReaders = 4;
export const minSessions = besideReaders + 1;

export function createRoster(options: RosterOptions): Roster {
  const { maxSessions, listens, open, opened, lost, failed } = options;
  const roles = new Map<Session, Role>();
  const watching = new Set<Session>();
  const leftovers = createLeftovers();
  const since = new Map<Role, number>();
  let host: PostgresHost | null = null;
  let filling: Promise<void> | undefined;
  let lastReason: unknown = new Error('The connection is not made yet.');
  let isClosed = false;

  function of(role: Role): readonly Session[] {
    return [...roles].flatMap(([session, own]) => (own === role ? session : []));
  }

  function wanted(role: Role): number {
    if (role === 'reader') return maxSessions - besideReaders;
    return role === 'writer' || listens() ? 1 : 0;
  }

  function missing(): Role | undefined {
    return (['writer', 'reader', 'listener'] as const).find((role) => of(role).length < wanted(role));
  }

  function count(): number {
    const watches = [...watching].filter((session) => session.host === host).length;
    return roles.size + watches + (host ? leftovers.countAt(host) : 0);
  }

  function remove(session: Session, at: PostgresHost, reason: Error): void {
    lastReason = reason;
    leftovers.add(session, at);
    const role = roles.get(session);
    roles.delete(session);
    watching.delete(session);
    if (role && of(role).length === 0) since.set(role, performance.now());
    lost();
  }

  async function add(role: Role, at: PostgresHost): Promise<void> {
    const session = await open(role, at).catch((reason) => {
      if (!isClosed && host === at) failed(role, reason);
      throw reason;
    });
    if (isClosed || host !== at) return session.destroy();
    roles.set(session, role);
    since.delete(role);
    void session.lost.then((reason) => remove(session, at, reason));
    opened(role);
  }

  async function fillAll(watch: Session): Promise<void> {
    try {
      for (;;) {
        await leftovers.clear(watch);
        const role = missing();
        if (isClosed || !role || host !== watch.host || count() >= maxSessions) return;
        await add(role, host);
      }
    } catch (error) {
      lastReason = error;
    }
  }

  function destroyAll(): void {
    for (const session of roles.keys()) session.destroy(new Error('The server is not used any more.'));
  }

  return {
    of,
    get count() {
      return count();
    },
    get isFull() {
      return count() >= maxSessions;
    },
    get isComplete() {
      return missing() === undefined;
    },
    get lastReason() {
      return lastReason;
    },
    missingSince: (role) => (of(role).length > 0 ? null : (since.get(role) ?? 0)),
    use: (next) => {
      if (next === host) return;
      host = next;
      destroyAll();
    },
    fill: async (watch) => {
      filling ??= fillAll(watch).finally(() => {
        filling = undefined;
      });
      await filling;
    },
    watch: (session) => {
      if (watching.has(session) || !session.isOpen) return;
      watching.add(session);
      void session.lost.then((reason) => remove(session, session.host, reason));
    },
    [Symbol.dispose]: () => {
      isClosed = true;
      destroyAll();
    },
  };
}
