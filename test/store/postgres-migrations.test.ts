import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openConnections } from '../../src/store/postgres/connections.ts';
import { type MigrationOptions, migrate, readMigrations } from '../../src/store/postgres/migrations.ts';
import { startAnyPostgres } from '../support/postgres-server.ts';
import { targetOf } from './postgres-test-connections.ts';

let server: Awaited<ReturnType<typeof startAnyPostgres>>;
beforeAll(async () => {
  server = await startAnyPostgres();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const [first] = await readMigrations();
if (!first) throw new Error('There is no migration.');
const second = {
  version: 2,
  file: '0002-more.sql',
  text: `create table :"schema".more (); insert into :"schema".migration (version, serves_from) values (2, 2)`,
};
const schema = 'My "schema"';
const release1: MigrationOptions = { schema, migrations: [first], lowest: 1, runs: true };
const release2: MigrationOptions = { schema, migrations: [first, second], lowest: 2, runs: true };

async function openNode(url: string, options: MigrationOptions) {
  return openConnections({
    target: targetOf(url),
    openMs: 2_000,
    beforeWrites: (session) => migrate(session, options),
  });
}

async function openAndClose(url: string, options: MigrationOptions): Promise<void> {
  await using _node = await openNode(url, options);
}

const versions = 'select version from "My ""schema""".migration order by version';

test('three nodes that start at once run each migration once, in a schema of any name', async () => {
  const database = await server.createDatabase();
  await Promise.all(Array.from({ length: 3 }, () => openAndClose(database.url, release2)));
  expect(await database.query(versions)).toEqual([{ version: 1 }, { version: 2 }]);
  await openAndClose(database.url, release2);
});

test('a release that is too old for the schema refuses to start, and one that is served does not', async () => {
  const database = await server.createDatabase();
  await openAndClose(database.url, release2);
  await expect(openAndClose(database.url, release1)).rejects.toThrow(
    'The schema My "schema" is at version 2, which releases from version 2 on can use, and this release knows version 1. Start a later release of the gateway.',
  );
  await database.query('update "My ""schema""".migration set serves_from = 1');
  await openAndClose(database.url, release1);
});

test('a node that may not migrate says which files are to be run, and starts once they were', async () => {
  const database = await server.createDatabase();
  const looks = { ...release2, runs: false };
  await expect(openAndClose(database.url, looks)).rejects.toThrow(
    /is at version 0, and this release needs version 2.*: 0001-migrations\.sql, 0002-more\.sql\./,
  );
  for (const { text } of [first, second])
    await database.query(text.replaceAll(':"schema"', '"My ""schema"""'));
  await openAndClose(database.url, looks);
});

test('a migration that fails leaves nothing behind, and says why', async () => {
  const database = await server.createDatabase();
  const broken = { ...second, text: `create table :"schema".more (); select 1 / 0; ${second.text}` };
  const options = { ...release2, migrations: [first, broken] };
  await expect(openAndClose(database.url, options)).rejects.toThrow('division by zero');
  expect(await database.query(versions)).toEqual([{ version: 1 }]);
  expect(await database.query(`select to_regclass('"My ""schema""".more') as found`)).toEqual([
    { found: null },
  ]);
  await openAndClose(database.url, release2);
});

test('a migration that waits for a lock lets others pass in between, and is run when it is free', async () => {
  const database = await server.createDatabase();
  await openAndClose(database.url, release1);
  const holder = new Client({ connectionString: database.url });
  await holder.connect();
  await holder.query('begin; lock table "My ""schema""".migration in share mode');
  const opening = openAndClose(database.url, release2);
  await expect
    .poll(() => database.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"))
    .toHaveLength(1);
  await holder.end();
  await opening;
  expect(await database.query(versions)).toEqual([{ version: 1 }, { version: 2 }]);
});
