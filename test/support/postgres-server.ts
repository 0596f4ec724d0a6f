import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { describe } from 'vitest';
import { freePort } from './free-port.ts';
import { giveAway, preparePostgres, run, runAs } from './postgres-binaries.ts';
import { childrenOf, isAlive, signalAll } from './postgres-processes.ts';

export type Row = Readonly<Record<string, unknown>>;

/** A database of a test's own. */
export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Runs SQL over a connection of its own. */
  query(sql: string): Promise<readonly Row[]>;
}

/** A PostgreSQL of a test's own, on a free port, with its files in a directory of its own. It ends with its scope. */
export interface PostgresServer extends TestDatabase, AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** False once it has ended, by itself or not. */
  readonly isRunning: boolean;
  createDatabase(): Promise<TestDatabase>;
  /** The processes of its sessions, and its own helpers. */
  backends(): readonly number[];
  /** Stops it, and all its backends, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and files. */
  restart(): Promise<void>;
  /** It and its backends do nothing from now on, and keep their connections. */
  freeze(): void;
  thaw(): void;
  /** Ends a standby's recovery, and resolves once it takes writes. */
  promote(): Promise<void>;
}

/** Runs SQL at any server that a URL names. */
export async function queryAt(url: string, sql: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const results = await client.query(sql);
    const last = Array.isArray(results) ? results.at(-1) : results;
    return last?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** A server that was not started here, such as that of a platform for which there are no binaries. */
const named = process.env['TEST_POSTGRES_URL'];

/** For tests that stop, freeze or configure the server. */
export const describeWithOwnPostgres = named ? describe.skip : describe;

/** Folders for its files, if not the temporary one. */
export interface Folders {
  readonly data?: string;
  readonly wal?: string;
}

/** @param settings as in `postgresql.conf`: `max_connections=20`. */
export async function startPostgresServer(
  settings: readonly string[] = [],
  { data, wal }: Folders = {},
): Promise<PostgresServer> {
  const { template } = await preparePostgres();
  const directory = await copyTemplate(template, data);
  if (wal) await moveWal(directory, wal);
  return startIn(directory, settings);
}

async function moveWal(directory: string, folder: string): Promise<void> {
  const target = join(folder, 'pg_wal');
  const place = join(directory, 'data/pg_wal');
  await run('mv', [place, target]);
  await symlink(target, place);
}

export interface StandbyOptions {
  /** The primary waits for it at each commit. */
  readonly synchronous?: boolean;
  readonly settings?: readonly string[];
  /** Of one that takes another's place; otherwise any that is free. */
  readonly port?: number;
}

let standbys = 0;

/** Starts a standby of a server that `startPostgresServer` has made, and resolves once it follows. */
export async function startStandby(
  primary: PostgresServer,
  { synchronous = false, settings = [], port }: StandbyOptions = {},
): Promise<PostgresServer> {
  standbys += 1;
  const name = `standby_${standbys}`;
  // A primary keeps all that it wrote since it was copied from the same template.
  const { template } = await preparePostgres();
  const directory = await copyTemplate(template);
  await writeFile(join(directory, 'data/standby.signal'), '');
  const follow = `primary_conninfo=host=127.0.0.1 port=${primary.port} user=postgres application_name=${name}`;
  const standby = await startIn(directory, [follow, 'wal_receiver_timeout=5s', ...settings], port);
  const isSo = (state: string) => async () => {
    const rows = await primary.query(
      `select 1 from pg_stat_replication where application_name = '${name}' and state = 'streaming' and ${state}`,
    );
    return rows.length > 0;
  };
  // The primary waits for it only once it has caught up, so that commits go on.
  await until(isSo('true'));
  if (synchronous) await setSetting(primary, 'synchronous_standby_names', name);
  await until(isSo(`sync_state = '${synchronous ? 'sync' : 'async'}'`));
  return standby;
}

/** Changes a setting of a server that runs. */
export async function setSetting(server: TestDatabase, name: string, value: string): Promise<void> {
  await server.query(`alter system set ${name} = '${value}'`);
  await server.query('select pg_reload_conf()');
  await until(async () => {
    const rows = await server.query(`select current_setting('${name}') as value`);
    return rows[0]?.['value'] === value;
  });
}

/** A server, or a database of the one that `TEST_POSTGRES_URL` names. */
export async function startAnyPostgres(): Promise<
  Pick<PostgresServer, 'createDatabase' | typeof Symbol.asyncDispose>
> {
  if (!named) return startPostgresServer();
  const made: string[] = [];
  return {
    createDatabase: async () => {
      const database = await createDatabaseAt(named);
      made.push(database.name);
      return database;
    },
    [Symbol.asyncDispose]: async () => {
      for (const name of made) await queryAt(named, `drop database if exists ${name} with (force)`);
    },
  };
}

const common = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=16MB',
  'wal_keep_size=1GB',
  'log_checkpoints=off',
  // After a crash it would sync each file by itself.
  ...(process.platform === 'linux' ? ['recovery_init_sync_method=syncfs'] : []),
];

async function startIn(
  directory: string,
  settings: readonly string[],
  ownPort?: number,
): Promise<PostgresServer> {
  const port = ownPort ?? (await freePort());
  const { postgres } = await preparePostgres();
  const assignments = [...common, ...settings].flatMap((setting) => ['-c', setting]);
  const args = ['-D', join(directory, 'data'), '-p', String(port), ...assignments];
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server = await launch(postgres, args);
  const query = (sql: string) => queryAt(url, sql);

  function backends(): number[] {
    return childrenOf(server.pid ?? 0);
  }

  function isRunning(): boolean {
    return server.exitCode === null && server.signalCode === null;
  }

  async function kill(): Promise<void> {
    if (!isRunning()) return;
    const exited = once(server, 'exit');
    // Stopped first, so that it starts no other.
    server.kill('SIGSTOP');
    const children = backends();
    server.kill('SIGKILL');
    signalAll(children, 'SIGKILL');
    await exited;
    await until(async () => !children.some(isAlive));
  }

  return {
    name: 'postgres',
    port,
    url,
    query,
    get pid() {
      return server.pid ?? 0;
    },
    get isRunning() {
      return isRunning();
    },
    createDatabase: () => createDatabaseAt(url),
    backends,
    kill,
    restart: async () => {
      await kill();
      server = await launch(postgres, args);
    },
    freeze: () => {
      server.kill('SIGSTOP');
      signalAll(backends(), 'SIGSTOP');
    },
    thaw: () => {
      signalAll(backends(), 'SIGCONT');
      server.kill('SIGCONT');
    },
    promote: async () => {
      await query('select pg_promote(true, 60)');
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

async function copyTemplate(template: string, folder = tmpdir()): Promise<string> {
  const directory = await mkdtemp(join(folder, 'postgres-'));
  await giveAway(directory);
  await run('cp', ['-a', template, join(directory, 'data')]);
  return directory;
}

/** What this process has started and not ended yet. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const server of running) {
    signalAll(childrenOf(server.pid ?? 0), 'SIGKILL');
    server.kill('SIGKILL');
  }
});

async function launch(postgres: string, args: readonly string[]): Promise<ChildProcess> {
  const server = spawn(postgres, args, { ...runAs, cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(server);
  server.once('exit', () => running.delete(server));
  const ready = Promise.withResolvers<void>();
  let said = '';
  // What it says is read, so that it never waits for a reader.
  createInterface({ input: server.stderr }).on('line', (line) => {
    said = `${said}\n${line}`.slice(-2_000);
    if (/ready to accept (read-only )?connections/.test(line)) ready.resolve();
  });
  server.once('error', ready.reject);
  server.once('exit', (code) => ready.reject(new Error(`postgres ended with ${code}: ${said}`)));
  await ready.promise;
  return server;
}

async function createDatabaseAt(url: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await queryAt(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { name, url: own.href, query: (sql) => queryAt(own.href, sql) };
}

/** Looks until a condition holds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
