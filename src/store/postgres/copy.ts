import type { PostgresBackend } from '../../postgres-variables.ts';
import { CopyError, type CopySource, type CopyTarget } from '../copy.ts';
import { type CopyClient, openCopyClient } from './copy-client.ts';
import { createReaders } from './copy-reading.ts';
import { createWriters } from './copy-writing.ts';
import { migrate, readMigrations } from './migrations.ts';
import { quoteName } from './statement.ts';
import { openingOf } from './transactions.ts';

/** What the transaction of a copy is not bounded by, whatever the role or the server has by default. */
const unbounded =
  "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local lock_timeout = '5s'";

/**
 * A PostgreSQL to copy from. Nobody can write to its tables meanwhile.
 *
 * @throws CopyError if a gateway uses it, or it cannot be had.
 */
export async function openPostgresSource(backend: PostgresBackend): Promise<CopySource & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const client = opening.use(await openCopyClient(backend));
  await begin(client, backend, { migrates: false, lock: 'share' });
  const open = opening.move();
  return {
    read: createReaders(client, quoteName(backend.schema)),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/**
 * A PostgreSQL to copy to. Its schema is made, unless STORE_MIGRATE=false.
 *
 * @throws as `openPostgresSource`.
 */
export async function openPostgresTarget(backend: PostgresBackend): Promise<CopyTarget & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const client = opening.use(await openCopyClient(backend));
  await begin(client, backend, { migrates: backend.migrates, lock: 'access exclusive' });
  const schema = quoteName(backend.schema);
  const open = opening.move();
  return {
    // Retention walks along the change numbers, and ends where nothing is old.
    order: 'updated',
    read: createReaders(client, schema),
    write: createWriters(client, schema),
    commit: client.commit,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

interface BeginOptions {
  readonly migrates: boolean;
  readonly lock: 'share' | 'access exclusive';
}

async function begin(client: CopyClient, backend: PostgresBackend, options: BeginOptions): Promise<void> {
  const migrations = await readMigrations();
  const lowest = migrations.at(-1)?.version ?? 0;
  const session = {
    ...client,
    write: () => Promise.reject(new CopyError('A migration has no writes of its own.')),
  };
  await migrate(session, { schema: backend.schema, migrations, lowest, runs: options.migrates });
  // With the tables locked, all statements see the same.
  await client.script('begin isolation level read committed');
  // As durable as every write; these settings are the transaction's own.
  for (const statement of openingOf.write.slice(1)) await client.ask(statement);
  await client.script(unbounded);
  const schema = quoteName(backend.schema);
  const tables = ['business', 'message', 'send', 'quarantine'].map((table) => `${schema}.${table}`);
  await client.script(`lock table ${tables.join(', ')} in ${options.lock} mode`);
  await requireNoGateway(client);
}

const gatewaysText = `select count(*)::int as count from pg_stat_activity
  where datname = current_database() and application_name = 'pingup-gateway'`;

async function requireNoGateway(client: CopyClient): Promise<void> {
  const { rows } = await client.ask({ text: gatewaysText });
  if (Number(rows[0]?.['count']) > 0)
    throw new CopyError('A gateway uses the database in PostgreSQL. Stop all gateways first.');
}
