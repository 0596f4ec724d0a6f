import { afterEach, beforeEach, expect, test } from 'vitest';
import { statusOf } from '../../src/message.ts';
import { parseRedisUrl } from '../../src/redis-url.ts';
import { openRedisStore, type RedisOptions } from '../../src/store/redis.ts';
import { openFleet } from '../../src/store/redis-fleet.ts';
import { sendsIn } from '../../src/store/redis-sends.ts';
import { describeWithRedis } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { collect, servesAgain, timeToRefuse, watchKnown } from './contract/test-store.ts';
import { accepted, beginSend, business, key, keyedSend, newSend, news, someTime } from './samples.ts';

describeWithRedis('Redis in trouble', () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await startRedisServer();
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const open = (options: Omit<RedisOptions, 'url'> = {}) => openRedisStore({ url: server.url, ...options });

  test('a server that forgot the scripts is taught them again', async () => {
    await using store = await open();
    await store.record([news('m1', 'SENT')]);
    await server.command('SCRIPT', 'FLUSH');
    const ids = Array.from({ length: 200 }, (_, index) => `m${index}`);
    await Promise.all(ids.map((id) => store.record([news(id, 'READ')])));
    expect(await store.find(key('m199'))).toEqual(news('m199', 'READ'));
  });

  test('however often the subscriptions are cut, watchers end at the right state', async () => {
    await using store = await open();
    await using other = await open();
    const ids = Array.from({ length: 100 }, (_, index) => `m${index}`);
    await other.record(ids.map((id) => news(id, 'ACCEPTED')));
    const seen = Promise.all(ids.map(async (id) => collect(await watchKnown(store, id))));
    await expect.poll(() => store.watching).toBe(100);
    for (let round = 0; round < 20; round += 1) {
      await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await other.record(ids.slice(round * 5, round * 5 + 5).map((id) => news(id, 'SENT')));
      await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await other.record(ids.slice(round * 5, round * 5 + 5).map((id) => news(id, 'READ')));
    }
    for (const states of await seen) expect(states.map(statusOf).at(-1)).toBe('READ');
    await expect.poll(() => server.command('PUBSUB', 'SHARDCHANNELS')).toEqual([]);
  });

  test('every connection may be cut, and calls go on', async () => {
    await using store = await open();
    for (let round = 0; round < 10; round += 1) {
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await expect.poll(() => store.record([news(`m${round}`, 'SENT')]).then(() => true)).toBe(true);
    }
    for (let round = 0; round < 10; round += 1) expect(await store.find(key(`m${round}`))).toBeDefined();
  });

  test('kill -9 at any moment loses nothing that was acknowledged, and watchers get the state of after', {
    timeout: 60_000,
  }, async () => {
    await using store = await open();
    const acknowledged = new Set<string>();
    await store.record([news('watched', 'SENT')]);
    const states = await watchKnown(store, 'watched');
    await states.next();
    for (let round = 0; round < 5; round += 1) {
      let going = true;
      const write = async (_: unknown, writer: number) => {
        for (let count = 0; going; count += 1) {
          const id = `${round}-${writer}-${count}`;
          await store.record([news(id, 'SENT')]).then(
            () => acknowledged.add(id),
            // A refusal may come at once: the rest of the process is to have its turn.
            () => new Promise(setImmediate),
          );
        }
      };
      const writing = Promise.all(Array.from({ length: 16 }, write));
      await expect
        .poll(() => [...acknowledged].filter((id) => id.startsWith(`${round}-`)).length)
        .toBeGreaterThan(50);
      await server.kill();
      going = false;
      await writing;
      await server.restart();
      await servesAgain(store);
    }
    for (const id of acknowledged) expect(await store.find(key(id))).toEqual(news(id, 'SENT'));
    await store.record([news('watched', 'READ')]);
    expect((await collect(states)).map(statusOf)).toEqual(['READ']);
  });

  test('frozen: refused within 2 s, soon at once; thawed: every watcher has the right state within 5 s', async () => {
    await using store = await open();
    await using other = await open();
    await store.record([news('m1', 'SENT'), news('m2', 'SENT')]);
    const states = await watchKnown(store, 'm1');
    await states.next();
    server.freeze();
    const late = other.record([news('m1', 'DELIVERED')]).catch(() => undefined);
    expect(await timeToRefuse(store.begin(newSend()))).toBeLessThan(2_000);
    await late;
    await expect.poll(() => timeToRefuse(store.check())).toBeLessThan(50);
    server.thaw();
    const thawed = performance.now();
    await expect.poll(() => other.record([news('m1', 'READ')]).then(() => true)).toBe(true);
    expect((await collect(states)).map(statusOf).at(-1)).toBe('READ');
    expect(performance.now() - thawed).toBeLessThan(5_000);
  });

  test('full: no send is begun, reads are served, retention makes room, and all serves again', async () => {
    await using store = await open();
    const attempt = await beginSend(store);
    await store.record([news('old', 'SENT', someTime), accepted('new', { acceptedAt: someTime + 10 })]);
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    const calls = [
      store.begin(keyedSend('k')),
      store.record([news('old', 'READ')]),
      store.accept(attempt, accepted('m1')),
      store.check(),
    ];
    for (const call of calls)
      await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { message: /^OOM/ } });
    expect(await store.find(key('old'))).toEqual(news('old', 'SENT', someTime));
    expect((await store.list({ business, first: 9 })).entries).toHaveLength(2);
    expect(await store.prune(someTime + 5)).toBe(1);
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await beginSend(store, keyedSend('k'));
    await store.accept(attempt, accepted('m1'));
  });

  test('a begin that was given up is undone where it happened after all, and its key is free', async () => {
    await using store = await open();
    await store.fail(business, await beginSend(store), 'PINGUP_REJECTED', someTime);
    server.freeze();
    await timeToRefuse(store.begin(keyedSend('k')));
    server.thaw();
    await servesAgain(store);
    const outcomes = async () =>
      (await store.sends({ business, first: 9 })).entries.map(({ send }) => [send.outcome, send.errorCode]);
    await expect.poll(outcomes).toEqual([
      ['NOT_SENT', 'STORE_UNAVAILABLE'],
      ['REJECTED', 'PINGUP_REJECTED'],
    ]);
    await beginSend(store, keyedSend('k', { fingerprint: 'other' }));
  });

  test('a begin that comes later than its withdrawal is none', async () => {
    const target = parseRedisUrl(server.url);
    if (!target) throw new Error('no target');
    const nothing = () => undefined;
    using fleet = openFleet({
      target,
      replicationOf: () => null,
      connected: nothing,
      heard: nothing,
      again: nothing,
      moved: nothing,
    });
    await fleet.refresh();
    const sends = sendsIn(fleet, false);
    const send = keyedSend('k');
    const until = performance.now() + 10_000;
    const [attempt, next] = [sends.newAttempt(send), sends.newAttempt(send)];
    await sends.withdraw(attempt, someTime, until);
    expect(await sends.begin(attempt, send, until)).toEqual({ kind: 'withdrawn' });
    expect(await sends.begin(next, send, until)).toEqual({ kind: 'begun' });
  });

  test('a replica that is waited for and is not there: refused, and harmless to repeat', async () => {
    await using store = await open({ replicas: 1 });
    const refusal = { code: 'STORE_UNAVAILABLE', cause: { message: /^Only 0 of 1 replicas/ } };
    await expect(store.record([news('m1', 'SENT')])).rejects.toMatchObject(refusal);
    // It was written before, so nothing would change: no reason to call it safe.
    await expect(store.record([news('m1', 'SENT')])).rejects.toMatchObject(refusal);
    await expect(store.begin(keyedSend('k'))).rejects.toMatchObject(refusal);
    await using replica = await startRedisServer(['--replicaof', '127.0.0.1', String(server.port)]);
    await expect.poll(() => store.record([news('m1', 'SENT')]).then(() => true)).toBe(true);
    await expect.poll(() => store.begin(keyedSend('k')).then(({ kind }) => kind)).toBe('begun');
    expect(await replica.command('DBSIZE')).toBeGreaterThan(0);
  });

  test('the operator hears of the first failure, and of the recovery, once each', async () => {
    const heard: string[] = [];
    const log = {
      info: (_: object, sentence: string) => heard.push(sentence),
      warn: () => undefined,
      error: (_: object, sentence: string) => heard.push(sentence),
    };
    await using store = await open({ log });
    server.freeze();
    await Promise.allSettled([store.check(), store.check()]);
    await Promise.allSettled([store.check(), store.find(key('m1'))]);
    server.thaw();
    await servesAgain(store);
    await store.check();
    expect(heard).toEqual(['The store cannot serve.', 'The store serves again.']);
  });
});
