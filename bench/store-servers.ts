import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresServer } from '../test/support/postgres-server.ts';
import { cpuMsOf } from './cpu-time.ts';

/** What a node keeps its store in, as it is in production: all that is acknowledged is on the disk. */
export interface StoreServer extends AsyncDisposable {
  readonly kind: StoreKind;
  /** STORE_URL */
  readonly url: string;
  /** CPU time that the server has used, in milliseconds; 0 for SQLite, which is part of the node. */
  cpuMs(): number;
  /** What the store takes on the disk, in bytes. */
  diskBytes(): Promise<number>;
  /** How much it has written ahead of its files since it began, in bytes; NaN: not known. */
  walBytes(): Promise<number>;
}

export const storeKinds = ['SQLite', 'PostgreSQL'] as const;
export type StoreKind = (typeof storeKinds)[number];

export function startStoreServer(kind: StoreKind): Promise<StoreServer> {
  return starters[kind]();
}

const starters: Readonly<Record<StoreKind, () => Promise<StoreServer>>> = {
  SQLite: startSqlite,
  PostgreSQL: startPostgres,
};

async function startSqlite(): Promise<StoreServer> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-store-'));
  const path = join(directory, 'gateway.db');
  return {
    kind: 'SQLite',
    url: `sqlite:${path}`,
    cpuMs: () => 0,
    diskBytes: () => sizeOf(path),
    walBytes: async () => Number.NaN,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** As docs/many-nodes.md has it for a small machine; the rest is the server's default, durability above all. */
const settings = ['shared_buffers=512MB', 'max_wal_size=4GB', 'checkpoint_timeout=15min'];

async function startPostgres(): Promise<StoreServer> {
  const server = await startPostgresServer(settings);
  const number = async (expression: string) => {
    const [row] = await server.query(`select (${expression})::float8 as value`);
    return Number(row?.['value']);
  };
  return {
    kind: 'PostgreSQL',
    url: `${server.url}?sslmode=disable`,
    cpuMs: () => [server.pid, ...server.backends()].reduce((total, pid) => total + cpuMsOf(pid), 0),
    diskBytes: async () => {
      await server.query('vacuum');
      return number('pg_database_size(current_database())');
    },
    walBytes: () => number("pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function sizeOf(path: string): Promise<number> {
  const sizes = await Promise.all(
    ['', '-wal'].map((end) => stat(`${path}${end}`).catch(() => ({ size: 0 }))),
  );
  return sizes.reduce((total, { size }) => total + size, 0);
}
