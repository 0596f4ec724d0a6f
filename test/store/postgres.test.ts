import { afterAll, beforeAll } from 'vitest';
import { startAnyPostgres } from '../support/postgres-server.ts';
import { storeContract } from './contract.ts';
import { openTestStore } from './postgres-test-store.ts';

let server: Awaited<ReturnType<typeof startAnyPostgres>>;
beforeAll(async () => {
  server = await startAnyPostgres();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

storeContract('PostgreSQL', async (options) => openTestStore(await server.createDatabase(), options));
