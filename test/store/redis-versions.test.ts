import { afterAll, beforeAll, expect, test } from 'vitest';
import { merge } from '../../src/message.ts';
import { partitionOfAttempt } from '../../src/store/redis-attempt.ts';
import { placeOfMessage, prefixOf } from '../../src/store/redis-keys.ts';
import { describeWithRedis } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { idsOf } from './contract/test-store.ts';
import { openTestStore } from './redis-test-store.ts';
import { accepted, beginSend, business, key, keyedSend, news, someTime } from './samples.ts';

describeWithRedis('two releases on one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const place = placeOfMessage(key('m1'));
  const read = async (name: string) => String(await server.command('GET', name));

  test('what a newer release added to a record is kept by an older one', async () => {
    await using t = await openTestStore(server);
    await t.store.record([accepted('m1')]);
    const [header, ...lines] = (await read(place.key)).split('\n');
    const added = [
      `${header}\tmore`,
      ...lines.map((line) => `${line}\tmore`),
      'X\tunheard of',
      'TYPING\t1\t2\tnull\t-\t-',
    ];
    await server.command('SET', place.key, added.join('\n'));
    await t.store.record([news('m1', 'READ')]);
    const record = (await read(place.key)).split('\n');
    expect(record[0]).toMatch(/^1\t2\t[0-9]{16}\tREAD\tmore$/);
    expect(record.slice(1, added.length)).toEqual(added.slice(1));
    expect(await t.store.find(key('m1'))).toEqual(merge(accepted('m1'), news('m1', 'READ')));
    expect(await idsOf(t.store, { first: 9, statuses: ['READ'] })).toEqual(['m1']);
  });

  test('a status that an older release does not know stays the status', async () => {
    await using t = await openTestStore(server);
    await t.store.record([news('m1', 'SENT')]);
    const newer = (await read(place.key)).replace(/^(.*)\tSENT\n/, '$1\tTYPING\n');
    await server.command('SET', place.key, `${newer}\nTYPING\t5\t5\t"typing"\t-\t-`);
    await t.store.record([news('m1', 'READ')]);
    expect((await read(place.key)).split('\n')[0]).toMatch(/\tTYPING$/);
    expect(await t.store.find(key('m1'))).toEqual(merge(news('m1', 'SENT'), news('m1', 'READ')));
  });

  test('a record of a version that it cannot read is refused, and left as it is', async () => {
    await using t = await openTestStore(server);
    await t.store.record([news('m1', 'SENT'), news('m2', 'SENT')]);
    const newer = (await read(place.key)).replace(/^1\t/, '2\t');
    await server.command('SET', place.key, newer);
    const refusal = { code: 'STORE_UNAVAILABLE', cause: { message: expect.stringMatching(/newer release/) } };
    await expect(t.store.record([news('m1', 'READ')])).rejects.toMatchObject(refusal);
    await expect(t.store.find(key('m1'))).rejects.toMatchObject(refusal);
    await expect(t.store.watch(key('m1'))).rejects.toMatchObject(refusal);
    expect(t.store.watching).toBe(0);
    await t.store.forget({ business, client: 'jon', clientPhone: null });
    expect(await t.store.prune(someTime * 2)).toBe(1);
    expect(await read(place.key)).toBe(newer);
    expect(await t.store.find(key('m2'))).toBeUndefined();
  });

  test('a send of a version that it cannot read keeps its key, and is neither lost nor pruned', async () => {
    await using t = await openTestStore(server);
    const attempt = await beginSend(t.store, keyedSend('k'));
    const name = `${prefixOf(partitionOfAttempt(attempt) ?? 0)}s:${attempt}`;
    const newer = (await read(name)).replace(/^1\t/, '2\t');
    await server.command('SET', name, newer);
    const refusal = { code: 'STORE_UNAVAILABLE', cause: { message: expect.stringMatching(/newer release/) } };
    await expect(t.store.begin(keyedSend('k'))).rejects.toMatchObject(refusal);
    await expect(t.store.fail(business, attempt, 'PINGUP_REJECTED', someTime)).rejects.toMatchObject(refusal);
    expect(await t.store.settleLost(someTime + 1, someTime)).toBe(0);
    await t.store.prune(someTime * 2);
    expect(await read(name)).toBe(newer);
  });
});
