import { describe, expect } from 'vitest';
import { statusOf } from '../../src/message.ts';
import { migrate, readMigrations } from '../../src/store/postgres/migrations.ts';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';
import { describeWithOwnPostgres, queryAt, startPostgresServer } from '../support/postgres-server.ts';
import { testWith } from '../support/programs.ts';
import { collect, watchKnown } from './contract/test-store.ts';
import {
  expectUnavailable,
  openTestConnections,
  targetOf,
  untilServed,
  urlOf,
} from './postgres-test-connections.ts';
import { openNodes } from './postgres-test-nodes.ts';
import { postgresOptions } from './postgres-test-store.ts';
import { accepted, beginSend, business, news, someTime } from './samples.ts';

const program = 'pgbouncer';
const setting = { text: "select current_setting('synchronous_commit') as setting", name: 'setting' };

describeWithOwnPostgres('PgBouncer in transaction mode', () => {
  describe('everything but LISTEN', () => {
    testWith(program, 'works, durable whatever a neighbour left on the connection', {}, async () => {
      await using server = await startPostgresServer();
      await using bouncer = await startPgBouncer(server.port, { poolSize: 1 });
      const url = urlOf(bouncer);
      await queryAt(url, 'set synchronous_commit = off');
      expect(await queryAt(url, 'show synchronous_commit')).toEqual([{ synchronous_commit: 'off' }]);
      const migrations = await readMigrations();
      const options = { schema: 'own', migrations, lowest: 1, runs: true };
      const listener = { channels: ['a'], notified: () => undefined, listening: () => undefined };
      await using node = await openTestConnections(url, {
        listener,
        beforeWrites: (session) => migrate(session, options),
      });
      expect(node).toMatchObject({ isListening: false, isComplete: true });
      const answers = await Promise.all(Array.from({ length: 20 }, () => node.write([setting])));
      for (const [result] of answers) expect(result?.rows).toEqual([{ setting: 'on' }]);
      expect(await node.read('select version from own.migration')).toEqual(
        migrations.map(({ version }) => ({ version })),
      );
      expect(await node.readAll([setting, setting])).toHaveLength(2);
      expect(await queryAt(url, 'select name from pg_prepared_statements')).toEqual([]);
      // Nothing of ours stays on the connection either.
      expect(await queryAt(url, 'show lock_timeout')).toEqual([{ lock_timeout: '0' }]);
      expect(await queryAt(url, 'show tcp_user_timeout')).toEqual([{ tcp_user_timeout: '0' }]);
    });
  });

  testWith(
    program,
    'the whole store works, and leaves nothing to whom the connection serves next',
    {},
    async () => {
      await using server = await startPostgresServer();
      await using bouncer = await startPgBouncer(server.port, { poolSize: 2 });
      await using store = await openPostgresStore(postgresOptions(urlOf(bouncer)));
      const attempts = await Promise.all(Array.from({ length: 30 }, () => beginSend(store)));
      await Promise.all(attempts.map((attempt) => store.accept(attempt, accepted(`m${attempt}`))));
      await store.record([news('c1', 'SENT')], [{ business, raw: 'odd', reason: 'r', receivedAt: someTime }]);
      expect((await store.list({ business, first: 100 })).entries).toHaveLength(31);
      await store.release(business, '1', [news('c1', 'READ')]);
      expect(await store.forget({ business, client: 'jon', clientPhone: null })).toEqual({
        messages: 30,
        sends: 30,
      });
      expect(await store.prune(someTime + 1_000)).toBe(1);
      await store.check();
      expect(await queryAt(urlOf(bouncer), 'show enable_seqscan')).toEqual([{ enable_seqscan: 'on' }]);
    },
  );

  testWith(program, 'without a direct way watches see by polls what another node writes', {}, async () => {
    await using server = await startPostgresServer();
    await using bouncer = await startPgBouncer(server.port, { poolSize: 4 });
    await using nodes = await openNodes({ url: urlOf(bouncer) }, 2);
    await nodes.at(0).record([news('m1', 'SENT'), accepted('m2')]);
    const states = await Promise.all(['m1', 'm2'].map((id) => watchKnown(nodes.at(1), id)));
    await Promise.all(states.map((each) => each.next()));
    await nodes.at(0).record([news('m1', 'READ')]);
    await nodes.at(0).forget({ business, client: 'jon', clientPhone: null });
    const [read, forgotten] = await Promise.all(states.map((each) => collect(each)));
    expect(read?.map(statusOf)).toEqual(['READ']);
    expect(forgotten).toEqual([]);
  });

  testWith(program, 'a direct way beside it brings the notifications', {}, async () => {
    await using server = await startPostgresServer();
    await using bouncer = await startPgBouncer(server.port, { poolSize: 3 });
    const heard: string[] = [];
    const listener = {
      channels: ['a'],
      notified: (_channel: string, payload: string) => heard.push(payload),
      listening: () => undefined,
    };
    const listenTarget = targetOf(urlOf(server));
    await using node = await openTestConnections(urlOf(bouncer), { listener, listenTarget });
    expect(node.isListening).toBe(true);
    await node.signal([{ text: "select pg_notify('a', 'hello')" }]);
    await expect.poll(() => heard).toEqual(['hello']);
  });

  testWith(
    program,
    'while the server behind it is frozen or gone calls end in time, and it serves afterwards',
    {},
    async () => {
      await using server = await startPostgresServer();
      await using bouncer = await startPgBouncer(server.port, { poolSize: 3 });
      await using node = await openTestConnections(urlOf(bouncer));
      server.freeze();
      await Promise.all([expectUnavailable(node.write([setting])), expectUnavailable(node.read('select 1'))]);
      server.thaw();
      await untilServed(() => node.write([setting]));
      await server.kill();
      await Promise.all([expectUnavailable(node.write([setting])), expectUnavailable(node.read('select 1'))]);
      await server.restart();
      await untilServed(() => node.write([setting]));
      await untilServed(() => node.read('select 1'));
    },
  );
});
