import { afterAll, beforeAll } from 'vitest';
import { describeWithRedis } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { storeContract } from './contract.ts';
import { openTestStore } from './redis-test-store.ts';

describeWithRedis('one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  storeContract('Redis', () => openTestStore(server));
});
