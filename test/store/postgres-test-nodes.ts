import type { Store } from '../../src/store/port.ts';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import type { TestDatabase } from '../support/postgres-server.ts';
import { postgresOptions, type TestPostgresOptions } from './postgres-test-store.ts';

export interface TestNodes extends AsyncDisposable {
  at(index: number): Store;
}

/** Stores on one database, as several nodes have them. */
export async function openNodes(
  database: Pick<TestDatabase, 'url'>,
  count: number,
  options: TestPostgresOptions = {},
): Promise<TestNodes> {
  await using opening = new AsyncDisposableStack();
  const stores: Store[] = [];
  const opened = Array.from({ length: count }, async () => {
    stores.push(opening.use(await openPostgresStore(postgresOptions(database.url, options))));
  });
  await Promise.all(opened);
  const open = opening.move();
  return {
    at: (index) => {
      const store = stores[index];
      if (!store) throw new Error(`There is no node ${index}.`);
      return store;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
