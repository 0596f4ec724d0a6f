import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { migrate, readMigrations } from '../../src/store/postgres/migrations.ts';
import { createStoreServer } from '../../src/store/postgres/store-server.ts';
import {
  describeWithOwnPostgres,
  type PostgresServer,
  queryAt,
  startPostgresServer,
} from '../support/postgres-server.ts';
import { openTestConnections } from './postgres-test-connections.ts';

const schema = 'pingup_gateway';

/** The statements of a file of `deploy/postgres`, one by one: not all can be in one transaction. */
function statementsOf(file: string): string[] {
  const text = readFileSync(resolve(import.meta.dirname, '../../deploy/postgres', file), 'utf8');
  return text
    .replaceAll(/^--.*$/gm, '')
    .split(';')
    .flatMap((statement) => statement.trim() || []);
}

async function runFile(url: string, file: string): Promise<void> {
  for (const statement of statementsOf(file)) await queryAt(url, statement);
}

function urlsOf({ port }: PostgresServer) {
  const address = `127.0.0.1:${port}/gateway`;
  return { gateway: `postgres://gateway@${address}`, admin: `postgres://postgres@${address}` };
}

describeWithOwnPostgres('the role of deploy/postgres', () => {
  test('makes its schema, reads what the metrics need, and may neither see another database nor make roles', async () => {
    await using server = await startPostgresServer();
    const { gateway } = urlsOf(server);
    await runFile(server.url, 'role.sql');
    const migrations = await readMigrations();
    const options = { schema, migrations, lowest: migrations.length, runs: true };
    await using connections = await openTestConnections(gateway, {
      beforeWrites: (session) => migrate(session, options),
    });
    await connections.write([{ text: 'select pg_advisory_xact_lock(1)' }]);
    await connections.signal([{ text: "select pg_notify('a', 'b')" }]);
    const reading = await createStoreServer({ connections, schema, maxSessions: 6 }).read();
    expect(Object.values(reading).filter((value) => Number.isNaN(value))).toEqual([]);
    for (const refused of ['create role another', 'create database another', 'alter system set fsync = off'])
      await expect(queryAt(gateway, refused)).rejects.toMatchObject({ code: '42501' });
    await queryAt(server.url, 'create role stranger login');
    await expect(queryAt(gateway.replace('gateway@', 'stranger@'), 'select 1')).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('without DDL it uses what an operator has made, and makes nothing', async () => {
    await using server = await startPostgresServer();
    const { gateway, admin } = urlsOf(server);
    await runFile(server.url, 'role.sql');
    await runFile(admin, 'role-without-ddl.sql');
    const migrations = await readMigrations();
    for (const { text } of migrations) await queryAt(admin, text.replaceAll(':"schema"', schema));
    const options = { schema, migrations, lowest: migrations.length, runs: false };
    await using connections = await openTestConnections(gateway, {
      beforeWrites: (session) => migrate(session, options),
    });
    const tables = await connections.read(
      "select table_name as name from information_schema.tables where table_schema = $1 and table_type = 'BASE TABLE'",
      [schema],
    );
    expect(tables.length).toBeGreaterThan(0);
    for (const { name } of tables) {
      const [rights] = await connections.read(
        `select bool_and(has_table_privilege($1 || '.' || quote_ident($2), r)) as has
         from unnest(array['select', 'insert', 'update', 'delete']) as r`,
        [schema, String(name)],
      );
      expect({ name, has: rights?.['has'] }).toEqual({ name, has: true });
    }
    for (const refused of [`create table ${schema}.another (a int)`, 'create schema another'])
      await expect(queryAt(gateway, refused)).rejects.toMatchObject({ code: '42501' });
  });

  test('may run after-restore.sql, which begins a new epoch with numbers that nobody has seen', async () => {
    await using server = await startPostgresServer();
    const { gateway } = urlsOf(server);
    await runFile(server.url, 'role.sql');
    const migrations = await readMigrations();
    const options = { schema, migrations, lowest: migrations.length, runs: true };
    await using _connections = await openTestConnections(gateway, {
      beforeWrites: (session) => migrate(session, options),
    });
    await queryAt(gateway, `select nextval('${schema}.change_number') from generate_series(1, 10)`);
    const state = `select epoch, last_value::float8 as last from ${schema}.epoch, ${schema}.change_number`;
    const [before] = await queryAt(gateway, state);
    await runFile(gateway, 'after-restore.sql');
    const [after] = await queryAt(gateway, state);
    expect(after?.['epoch']).not.toBe(before?.['epoch']);
    expect(after?.['last']).toBe(Number(before?.['last']) + 1_000_000_000);
  });
});
