import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { createStoreServer } from '../../src/store/postgres/store-server.ts';
import { storeVariables, toBackend } from '../../src/store-variables.ts';
import {
  describeWithOwnPostgres,
  startAnyPostgres,
  startPostgresServer,
  startStandby,
} from '../support/postgres-server.ts';
import { openTestConnections, urlOf } from './postgres-test-connections.ts';
import { news } from './samples.ts';

const schema = 'own';
const maxSessions = 6;

describe('what the server says of itself', () => {
  let server: Awaited<ReturnType<typeof startAnyPostgres>>;
  beforeAll(async () => {
    server = await startAnyPostgres();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('its rows, dead and alive, are those of the schema', async () => {
    const database = await server.createDatabase();
    await database.query(`create schema ${schema}; create table ${schema}.a (n int) with (autovacuum_enabled = off);
      create table other (n int); insert into other select generate_series(1, 1000)`);
    await database.query(`insert into ${schema}.a select generate_series(1, 100)`);
    await database.query(`delete from ${schema}.a where n <= 40`);
    await using connections = await openTestConnections(database.url, { maxSessions });
    const { read } = createStoreServer({ connections, schema, maxSessions });
    await expect.poll(read, { timeout: 10_000 }).toMatchObject({ liveRows: 60, deadRows: 40 });
    const reading = await read();
    expect(reading.transactionIdAge).toBeGreaterThan(0);
    expect(reading.connectionsUsage).toBeGreaterThan(0);
    expect(reading.connectionsUsage).toBeLessThanOrEqual(1);
    expect(reading.notificationQueueUsage).toBeGreaterThanOrEqual(0);
  });

  test('a transaction that somebody left open is the oldest', async () => {
    const database = await server.createDatabase();
    const forgetful = new Client({ connectionString: database.url });
    await forgetful.connect();
    try {
      await forgetful.query('begin; select pg_sleep(0.2)');
      await using connections = await openTestConnections(database.url, { maxSessions });
      const { oldestTransactionSeconds } = await createStoreServer({
        connections,
        schema,
        maxSessions,
      }).read();
      expect(oldestTransactionSeconds).toBeGreaterThan(0.1);
    } finally {
      await forgetful.end();
    }
  });

  test('a store tells it of its own schema and sessions', async () => {
    const { url } = await server.createDatabase();
    const backend = toBackend(z.object(storeVariables).parse({ STORE_URL: url }));
    if (backend.kind !== 'postgres') throw new Error(`${url} is no PostgreSQL.`);
    await using store = await openPostgresStore(backend);
    await store.record([news('m1', 'SENT')]);
    expect(store.server).toMatchObject({ maxSessions: 6 });
    expect(store.server?.sessions).toBeGreaterThan(1);
    expect((await store.server?.read())?.transactionIdAge).toBeGreaterThan(0);
  });

  test('however many ask, the server is asked at most once a second', async () => {
    const database = await server.createDatabase();
    await using connections = await openTestConnections(database.url, { maxSessions });
    let asked = 0;
    const counted = {
      sessions: 1,
      read: (text: string, values?: Parameters<typeof connections.read>[1]) => {
        asked += 1;
        return connections.read(text, values);
      },
    };
    const { read } = createStoreServer({ connections: counted, schema, maxSessions });
    const began = performance.now();
    for (let turn = 0; turn < 5; turn += 1) await Promise.all(Array.from({ length: 100 }, read));
    expect(asked).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 1_000));
  });
});

describeWithOwnPostgres('what the server says of its standbys', () => {
  test('one that stands still lags behind', async () => {
    await using primary = await startPostgresServer();
    await using standby = await startStandby(primary);
    await using connections = await openTestConnections(urlOf(primary), { maxSessions });
    const { read } = createStoreServer({ connections, schema, maxSessions });
    expect(await read()).toMatchObject({ standbys: 1 });
    standby.freeze();
    await primary.query('create table a as select generate_series(1, 10000) as n');
    await expect
      .poll(async () => (await read()).replicationLagBytes, { timeout: 10_000 })
      .toBeGreaterThan(100_000);
    standby.thaw();
    await expect
      .poll(async () => (await read()).replicationLagBytes, { timeout: 10_000 })
      .toBeLessThan(100_000);
  });
});
