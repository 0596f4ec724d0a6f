import { Client } from 'pg';
import { openPostgresStore, type PostgresOptions } from '../../src/store/postgres/store.ts';
import type { TestDatabase } from '../support/postgres-server.ts';
import type { TestStore, TestStoreOptions } from './contract/test-store.ts';

export type TestPostgresOptions = TestStoreOptions & Partial<PostgresOptions>;

export const testSchema = 'pingup_gateway';

/** What the settings of `STORE_URL` are by default. */
export function postgresOptions(url: string, options: TestPostgresOptions = {}): PostgresOptions {
  return {
    url,
    listenUrl: null,
    passwordFile: null,
    maxSessions: 6,
    schema: testSchema,
    migrates: true,
    namedStatements: false,
    acceptedRisks: [],
    ...options,
  };
}

/** A store on an empty database. What breaks it is another program that holds its tables. */
export async function openTestStore(
  database: TestDatabase,
  options: TestPostgresOptions = {},
): Promise<TestStore> {
  let store = await openPostgresStore(postgresOptions(database.url, options));
  let intruder: Client | undefined;

  async function repair(): Promise<void> {
    await intruder?.end();
    intruder = undefined;
  }

  return {
    get store() {
      return store;
    },
    reopen: async (others = {}) => {
      await store[Symbol.asyncDispose]();
      store = await openPostgresStore(postgresOptions(database.url, { ...options, ...others }));
    },
    breakDown: async () => {
      intruder = new Client({ connectionString: database.url });
      await intruder.connect();
      const tables = ['message', 'send', 'quarantine', 'business', 'probe'];
      const names = tables.map((table) => `${testSchema}.${table}`).join(', ');
      await intruder.query(`begin; lock table ${names} in exclusive mode`);
    },
    repair,
    [Symbol.asyncDispose]: async () => {
      await repair();
      await store[Symbol.asyncDispose]();
    },
  };
}
