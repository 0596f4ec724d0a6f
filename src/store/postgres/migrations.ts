import { readdir, readFile } from 'node:fs/promises';
import type { FirstSession } from './connections.ts';
import { lockTimeoutState, OperatorError, sqlStateOf } from './error.ts';
import { quoteName } from './statement.ts';

/** One file, `0007-what-it-does.sql`, as `psql -1 -v schema=… -f` takes it. It adds its row to `migration` itself. */
export interface Migration {
  readonly version: number;
  readonly file: string;
  /** `:"schema"` is the name of the schema. */
  readonly text: string;
}

export interface MigrationOptions {
  readonly schema: string;
  readonly migrations: readonly Migration[];
  /** The lowest version of the schema that this release works with. */
  readonly lowest: number;
  /** False: the operator runs the files, and this only looks whether they were run. */
  readonly runs: boolean;
  /** How often a migration is tried that has to wait for a lock. */
  readonly attempts?: number | undefined;
}

/** A migration is under way for so long at most, and waits for a lock so long, so that writers do not queue behind it. */
const runMs = 60_000;
const lockMs = 1_000;

/** The files of this release, in their order. */
export async function readMigrations(
  folder: URL = new URL('./migrations/', import.meta.url),
): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => /^[0-9]{4}-[a-z0-9-]+\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (file) => ({
      version: Number(file.slice(0, 4)),
      file,
      text: await readFile(new URL(file, folder), 'utf8'),
    })),
  );
}

/**
 * Brings the schema to this release's version, each file in a transaction of its own, one node at a time. Nodes of the
 * release before go on meanwhile: a migration only adds.
 *
 * @throws OperatorError if this release is too old for the schema, or may not change it and needs a later one.
 */
export async function migrate(session: FirstSession, options: MigrationOptions): Promise<void> {
  const { migrations, runs, attempts = 30 } = options;
  let state = await readState(session, options.schema);
  requireServed(state, options);
  const newest = migrations.at(-1)?.version ?? 0;
  if (state.version >= Math.max(newest, options.lowest)) return;
  for (const migration of migrations) {
    if (runs && state.version < migration.version)
      await repeat(() => runOne(session, migration, options), attempts);
  }
  state = await readState(session, options.schema);
  requireServed(state, options);
  if (state.version < options.lowest) throw new OperatorError(unmigrated(state.version, options));
}

interface SchemaState {
  /** 0: there is none. */
  readonly version: number;
  readonly servesFrom: number;
}

const noSchema: SchemaState = { version: 0, servesFrom: 0 };
const undefinedTableState = '42P01';

async function readState(session: FirstSession, schema: string): Promise<SchemaState> {
  const text = `select version, serves_from from ${quoteName(schema)}.migration order by version desc limit 1`;
  try {
    const [row] = (await session.ask({ text })).rows;
    return row ? { version: Number(row['version']), servesFrom: Number(row['serves_from']) } : noSchema;
  } catch (error) {
    if (sqlStateOf(error) === undefinedTableState) return noSchema;
    throw error;
  }
}

function requireServed({ version, servesFrom }: SchemaState, { schema, migrations }: MigrationOptions): void {
  const newest = migrations.at(-1)?.version ?? 0;
  if (newest >= servesFrom) return;
  throw new OperatorError(
    `The schema ${schema} is at version ${version}, which releases from version ${servesFrom} on can use, and this release knows version ${newest}. Start a later release of the gateway.`,
  );
}

function unmigrated(version: number, { schema, lowest, migrations }: MigrationOptions): string {
  const files = migrations.filter((migration) => migration.version > version).map(({ file }) => file);
  return `The schema ${schema} is at version ${version}, and this release needs version ${lowest}. Run these files, each with psql -1 -v schema=${schema} -f: ${files.join(', ')}.`;
}

async function runOne(
  session: FirstSession,
  { version, text }: Migration,
  { schema }: MigrationOptions,
): Promise<void> {
  try {
    await session.script(
      `begin; set local lock_timeout = ${lockMs}; set local statement_timeout = ${runMs};
       select pg_advisory_xact_lock(hashtextextended(${quoteText(`migrations of ${schema}`)}, 0))`,
    );
    // Another node may have run it meanwhile; a snapshot taken after the lock sees that.
    const state = await readStateInTransaction(session, schema);
    if (state < version) await session.script(text.replaceAll(':"schema"', quoteName(schema)), runMs);
    await session.script('commit');
  } catch (error) {
    await session.script('rollback').catch(() => undefined);
    throw error;
  }
}

/** Asks first whether there is a table, as an error would end the transaction. */
async function readStateInTransaction(session: FirstSession, schema: string): Promise<number> {
  const table = `${quoteName(schema)}.migration`;
  const { rows } = await session.ask({
    text: 'select to_regclass($1) is not null as exists',
    values: [table],
  });
  return rows[0]?.['exists'] === true ? (await readState(session, schema)).version : 0;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function repeat(work: () => Promise<void>, attempts: number): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (attempts <= 1 || sqlStateOf(error) !== lockTimeoutState) throw error;
    await repeat(work, attempts - 1);
  }
}
