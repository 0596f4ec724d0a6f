import { openRedisStore, type RedisOptions } from '../../src/store/redis.ts';
import type { TestStore } from './contract/test-store.ts';

/** What a test needs of a Redis, or of a cluster. */
export interface TestRedis {
  readonly url: string;
  flush(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** A store on an empty Redis. Each test has it for itself: tests of one file come one after the other. */
export async function openTestStore(
  server: TestRedis,
  options: Omit<RedisOptions, 'url'> = {},
): Promise<TestStore> {
  await server.flush();
  const open = () => openRedisStore({ url: server.url, ...options });
  let store = await open();
  return {
    get store() {
      return store;
    },
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await open();
    },
    breakDown: async () => server.freeze(),
    repair: async () => server.thaw(),
    [Symbol.asyncDispose]: async () => {
      server.thaw();
      await store[Symbol.asyncDispose]();
    },
  };
}
