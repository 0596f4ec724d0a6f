import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Message, merge } from '../../src/message.ts';
import { describeWithRedis } from '../support/programs.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { messageOf } from './arbitraries.ts';
import { openTestStore } from './redis-test-store.ts';
import { business } from './samples.ts';

describeWithRedis('the merge that runs in Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('is the merge of src/message.ts, whatever the news, their order and their grouping', async () => {
    await using t = await openTestStore(server);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyNews, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
        async (calls) => {
          const id = `m${count++}`;
          const key = { business, id };
          for (const call of calls) await t.store.record(call.map((news) => ({ ...news, id })));
          const expected = calls
            .flat()
            .map((news) => ({ ...news, id }))
            .reduce<Message | undefined>(merge, undefined);
          expect(await t.store.find(key)).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });
});

/** Few different instants, so that ties are common and texts decide. */
const instant = fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_001 });
/** Those whose order differs between bytes, UTF-16 and locales, and those that JSON escapes. */
const pieces = [
  'a',
  'B',
  'b',
  'ab',
  '\u0000',
  '\t',
  '\n',
  '"',
  '\\',
  '\\u0041',
  '/',
  '\u007f',
  '\u00e4',
  '\u07ff',
  '\u0800',
];
const awkward = [
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{1f600}',
  '\u{10ffff}',
  '\ud800',
  '\udfff',
  '\u2028',
];
const text = fc.array(fc.constantFrom(...pieces, ...awkward), { maxLength: 3 }).map((some) => some.join(''));
const anyNews = messageOf({ id: fc.constant('m'), text, instant, maxEvents: 3 });
