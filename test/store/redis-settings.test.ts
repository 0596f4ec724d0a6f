import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisRisk, redisRisks } from '../../src/redis-risks.ts';
import { openRedisStore } from '../../src/store/redis.ts';
import { describeWithRedis } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { accepted, beginSend, business, keyedSend, news, someTime } from './samples.ts';

describeWithRedis('the settings of Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('that are safe are used without a word', async () => {
    await using store = await openRedisStore({ url: server.url });
    expect(store.risks).toEqual([]);
  });

  test.each<[RedisRisk, setting: string, unsafe: string, safe: string, remedy: RegExp]>([
    ['no-aof', 'appendonly', 'no', 'yes', /set appendonly yes/],
    ['appendfsync-everysec', 'appendfsync', 'everysec', 'always', /two seconds.*set appendfsync always/],
    ['appendfsync-no', 'appendfsync', 'no', 'always', /half a minute.*set appendfsync always/],
    ['eviction', 'maxmemory-policy', 'allkeys-lru', 'noeviction', /set maxmemory-policy noeviction/],
  ])(
    '%s is refused with what to do, or accepted by name, logged and shown',
    async (risk, setting, unsafe, safe, remedy) => {
      await server.command('CONFIG', 'SET', setting, unsafe);
      const opening = openRedisStore({ url: server.url });
      await expect(opening).rejects.toThrow(remedy);
      await expect(opening).rejects.toThrow(`REDIS_ACCEPT_RISK=${risk}`);
      const others = redisRisks.filter((other) => other !== risk);
      await expect(openRedisStore({ url: server.url, acceptedRisks: others })).rejects.toThrow(remedy);
      const heard: string[] = [];
      const log = {
        info: (_: object, sentence: string) => heard.push(sentence),
        warn: () => undefined,
        error: () => undefined,
      };
      await using store = await openRedisStore({ url: server.url, acceptedRisks: [risk], log });
      await store.record([news('m1', 'SENT')]);
      expect(store.risks).toEqual([expect.stringMatching(`^${risk}: `)]);
      expect(heard).toEqual([expect.stringMatching(`^The risk ${risk} is accepted: `)]);
      await server.command('CONFIG', 'SET', setting, safe);
    },
  );

  test('that nobody may read are refused, or accepted as unknown', async () => {
    await server.command('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const url = server.url.replace('//', '//limited:secret@');
    await expect(openRedisStore({ url })).rejects.toThrow(/REDIS_ACCEPT_RISK=unknown-settings/);
    await using store = await openRedisStore({ url, acceptedRisks: ['unknown-settings'] });
    await store.check();
  });

  test('the rights that the README names are all that it needs', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const [, rights = ''] = /^ACL SETUSER gateway on >password (.*)$/m.exec(readme) ?? [];
    await server.command('ACL', 'LOG', 'RESET');
    await server.command('ACL', 'SETUSER', 'gateway', 'on', '>password', ...rights.split(' '));
    await using store = await openRedisStore({
      url: server.url.replace('//', '//gateway:password@'),
      positionCheckMs: 50,
    });
    const attempt = await beginSend(store, keyedSend('k'));
    await store.record(
      [news('m1', 'SENT')],
      [{ business, raw: '{}', reason: 'no id', receivedAt: someTime }],
    );
    const states = await store.watch({ business, id: 'm1' });
    await store.accept(attempt, accepted('m1'));
    await store.settleLost(someTime + 1, someTime);
    await store.list({ business, first: 1 });
    await store.forget({ business, client: 'jon', clientPhone: null });
    await store.prune(someTime * 2);
    await store.check();
    await states?.return?.();
    expect(await server.command('ACL', 'LOG')).toEqual([]);
  });

  test('with replicas, none of which is waited for, a failover is a risk', async () => {
    await using _replica = await startRedisServer(['--replicaof', '127.0.0.1', String(server.port)]);
    const replication = async () => String(await server.command('INFO', 'replication'));
    await expect.poll(replication).toContain('state=online');
    await expect(openRedisStore({ url: server.url })).rejects.toThrow(/REDIS_ACCEPT_RISK=failover/);
    await using store = await openRedisStore({ url: server.url, replicas: 1 });
    await expect.poll(() => store.check().then(() => true)).toBe(true);
    expect(store.risks).toEqual([]);
  });

  test('a replica is refused, and so is a wrong password, which is not told', async () => {
    await using replica = await startRedisServer(['--replicaof', '127.0.0.1', String(server.port)]);
    await expect(openRedisStore({ url: replica.url })).rejects.toThrow(/is a replica/);
    const opening = openRedisStore({ url: server.url.replace('//', '//nobody:the-password@') });
    await expect(opening).rejects.toThrow(/WRONGPASS/);
    await expect(opening).rejects.not.toThrow(/the-password/);
  });

  test('databases are apart', async () => {
    await using one = await openRedisStore({ url: `${server.url}/1` });
    await using two = await openRedisStore({ url: `${server.url}/2` });
    await one.record([news('m1', 'SENT')]);
    expect(await two.find({ business: 'acme', id: 'm1' })).toBeUndefined();
  });
});
