import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changedNothing, sqlStateOf } from '../../src/store/postgres/error.ts';
import {
  describeWithOwnPostgres,
  type PostgresServer,
  setSetting,
  startAnyPostgres,
  startPostgresServer,
  type TestDatabase,
  until,
} from '../support/postgres-server.ts';
import { startSwallowingProxy } from '../support/swallowing-proxy.ts';
import {
  expectUnavailable,
  openTestConnections,
  sessionsAt,
  untilServed,
  urlOf,
} from './postgres-test-connections.ts';

const insert = (n: number) => ({ text: 'insert into t values ($1)', values: [n] });
const ownPid = { text: 'select pg_backend_pid() as pid' };
const acceptAll = { acceptedRisks: ['no-synchronous-standby'] } as const;

describe('sessions at a PostgreSQL', () => {
  let server: Awaited<ReturnType<typeof startAnyPostgres>>;
  let database: TestDatabase;
  beforeAll(async () => {
    server = await startAnyPostgres();
    database = await server.createDatabase();
    await database.query('create table t (n int primary key)');
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('values and arrays arrive as they are, whatever they hold', async () => {
    await using node = await openTestConnections(database.url);
    const texts = ['', 'a"b', '\\', '{}', 'NULL', ' ', ',', 'é\u{1F600}'];
    const rows = await node.read(
      'select $1::text[] as texts, $2::int as number, $3::text as nothing, $4::bytea as bytes',
      [texts, 7, null, Buffer.from([0, 255])],
    );
    expect(rows).toEqual([{ texts, number: 7, nothing: null, bytes: Buffer.from([0, 255]) }]);
    expect(await node.read('select unnest($1::text[]) is null as a', [[null]])).toEqual([{ a: true }]);
  });

  test('a write is all or nothing, and one that is refused says why and leaves the session usable', async () => {
    await using node = await openTestConnections(database.url);
    const [first, , pid] = await node.write([insert(1), insert(2), ownPid]);
    expect(first?.count).toBe(1);
    const error = await node.write([insert(3), insert(1), insert(4)]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect([sqlStateOf(error), changedNothing(error)]).toEqual(['23505', true]);
    expect(JSON.stringify(error)).not.toContain('Key (n)');
    const [, same] = await node.write([insert(5), ownPid]);
    expect(same?.rows).toEqual(pid?.rows);
    expect(await node.read('select n from t order by n')).toEqual([{ n: 1 }, { n: 2 }, { n: 5 }]);
  });

  test('what a refused row held is in no error', async () => {
    await using node = await openTestConnections(database.url);
    const error = await node
      .read('select $1::int', ['secret380441234567'])
      .catch((reason: unknown) => reason);
    expect(sqlStateOf(error)).toBe('22P02');
    expect(String((error as Error).cause)).not.toContain('380441234567');
  });

  test('a write is durable whatever the default is, and waits for more if the default says so', async () => {
    await using node = await openTestConnections(database.url);
    const own = await server.createDatabase();
    const ask = [{ text: "select current_setting('synchronous_commit') as setting" }];
    for (const [set, found] of [
      ['off', 'on'],
      ['local', 'on'],
      ['remote_write', 'on'],
      ['remote_apply', 'remote_apply'],
    ]) {
      await database.query(`alter database ${own.name} set synchronous_commit = ${set}`);
      await using other = await openTestConnections(own.url);
      expect((await other.write(ask))[0]?.rows).toEqual([{ setting: found }]);
      expect((await other.signal(ask))[0]?.rows).toEqual([{ setting: 'off' }]);
    }
    expect(await node.readAll([...ask, { text: 'select 1 as one' }])).toHaveLength(2);
  });

  test('a node has at most six sessions, named, and serves when all are ended', async () => {
    await using node = await openTestConnections(database.url);
    await Promise.all(Array.from({ length: 50 }, () => node.read('select pg_sleep(0.01)')));
    expect(await sessionsAt(database)).toBeLessThanOrEqual(6);
    await database.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pingup-gateway' and datname = current_database()",
    );
    await untilServed(() => node.write([{ text: 'select 1' }]));
    await untilServed(() => node.read('select 1'));
    await expect.poll(() => node.isComplete).toBe(true);
    expect(await sessionsAt(database)).toBeLessThanOrEqual(6);
  });

  test('a read whose session is ended is made again, once', async () => {
    await using node = await openTestConnections(database.url);
    await database.query('create sequence tries');
    const deadly =
      'select case when nextval($1::regclass) < $2::int then pg_terminate_backend(pg_backend_pid()) end as ended';
    expect(await node.read(deadly, ['tries', 2])).toEqual([{ ended: null }]);
    await expectUnavailable(node.read(deadly, ['tries', 1_000]));
    expect(await database.query('select last_value::int as tries from tries')).toEqual([{ tries: 4 }]);
  });

  test('a lock that another holds ends the call, not the session', async () => {
    await using node = await openTestConnections(database.url);
    const before = await node.write([ownPid]);
    const holder = new Client({ connectionString: database.url });
    await holder.connect();
    await holder.query('begin; lock table t');
    await Promise.all([
      expectUnavailable(node.write([insert(9)])),
      expectUnavailable(node.read('select * from t')),
    ]);
    await holder.end();
    await node.write([{ text: 'delete from t where n = 9' }, insert(9)]);
    expect(await node.write([ownPid])).toEqual(before);
  });

  test('notifications come, also after the listener was cut, and each time it is told that it listens', async () => {
    const heard: string[] = [];
    let listening = 0;
    const listener = {
      channels: ['a', 'B"c'],
      notified: (channel: string, payload: string) => heard.push(`${channel} ${payload}`),
      listening: () => {
        listening += 1;
      },
    };
    await using node = await openTestConnections(database.url, { listener });
    expect([node.isListening, listening]).toEqual([true, 1]);
    const notify = (payload: string) =>
      node.signal([{ text: 'select pg_notify($1, $2)', values: ['B"c', payload] }]);
    await notify('one');
    await expect.poll(() => heard).toEqual(['B"c one']);
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' or query = 'select 1' and application_name = 'pingup-gateway' and datname = '${database.name}'`,
    );
    await expect.poll(() => listening).toBe(2);
    await notify('two');
    await expect.poll(() => heard).toEqual(['B"c one', 'B"c two']);
  });

  test('named statements are parsed once a session, and again after one that failed', async () => {
    await using node = await openTestConnections(database.url);
    const named = (text: string, name: string) => ({ text, name });
    const wrong = [
      named('select 1 as one', 'one'),
      { text: 'select 1 / 0' },
      named('select 2 as two', 'two'),
    ];
    await expect(node.write(wrong)).rejects.toThrow();
    const right = [named('select 1 as one', 'one'), named('select 2 as two', 'two')];
    await node.write(right);
    const results = await node.write([
      ...right,
      { text: "select count(*)::int from pg_prepared_statements where name in ('one', 'two')" },
    ]);
    expect(results.map(({ rows }) => rows[0])).toEqual([{ one: 1 }, { two: 2 }, { count: 2 }]);
  });
});

describeWithOwnPostgres('a PostgreSQL in trouble', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
    await server.query('create table t (n int); create role node login; grant all on t to node');
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  test('while it is frozen every call ends within 2 s, and it serves when it goes on, with its six sessions', async () => {
    await using node = await openTestConnections(urlOf(server));
    server.freeze();
    for (let round = 0; round < 3; round += 1)
      await Promise.all([
        expectUnavailable(node.write([insert(1)])),
        expectUnavailable(node.read('select 1')),
        expectUnavailable(node.signal([{ text: 'select 1' }])),
      ]);
    expect(node.sessions).toBeLessThanOrEqual(6);
    server.thaw();
    await untilServed(() => node.write([insert(2)]));
    await untilServed(() => node.read('select 1'));
    await expect.poll(() => node.isComplete).toBe(true);
    await expect.poll(() => sessionsAt(server)).toBeLessThanOrEqual(6);
  });

  test('when it is killed and started, it serves with what it acknowledged', async () => {
    await using node = await openTestConnections(urlOf(server));
    await node.write([insert(77)]);
    await server.kill();
    await expectUnavailable(node.write([insert(1)]));
    await server.restart();
    await untilServed(() => node.write([insert(78)]));
    expect(await node.read('select n from t where n > 70 order by n')).toEqual([{ n: 77 }, { n: 78 }]);
  });

  test('while there is no connection left for it calls are rejected, and served again afterwards', async () => {
    await using node = await openTestConnections(urlOf(server).replace('postgres@', 'node@'));
    await server.query('alter role node connection limit 0');
    await server.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'node'");
    const error = await until53300(() => node.write([insert(1)]));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await Promise.all([expectUnavailable(node.write([insert(1)])), expectUnavailable(node.read('select 1'))]);
    await server.query('alter role node connection limit -1');
    await untilServed(() => node.write([insert(2)]));
    await untilServed(() => node.read('select 1'));
  });

  test('a server that became read-only is left at once, and used again when it takes writes', async () => {
    await using node = await openTestConnections(urlOf(server));
    await setSetting(server, 'default_transaction_read_only', 'on');
    await expectUnavailable(node.write([insert(1)]));
    await expect.poll(() => node.server).toBe(null);
    await setSetting(server, 'default_transaction_read_only', 'off');
    await untilServed(() => node.write([insert(2)]));
    expect(node.server).toMatchObject({ timeline: 1 });
  });

  test('a network that swallows everything is noticed, and the sessions behind it do not exceed the limit', async () => {
    await using proxy = await startSwallowingProxy(server.port);
    const listener = { channels: ['a'], notified: () => undefined, listening: () => undefined };
    await using node = await openTestConnections(urlOf(proxy), { listener });
    proxy.swallow();
    await Promise.all([expectUnavailable(node.write([insert(1)])), expectUnavailable(node.read('select 1'))]);
    proxy.pass();
    await untilServed(() => node.write([insert(2)]));
    await untilServed(() => node.read('select 1'));
    await expect.poll(() => node.isComplete).toBe(true);
    expect(await sessionsAt(server)).toBeLessThanOrEqual(6);
  });

  test('settings that lose what was acknowledged are refused, or accepted by name, and found while it runs', async () => {
    await using node = await openTestConnections(urlOf(server));
    expect(node.risks).toEqual([]);
    await setSetting(server, 'full_page_writes', 'off');
    await expect.poll(() => node.risks).toEqual([expect.stringMatching(/^full-page-writes-off: /)]);
    await expect(openTestConnections(urlOf(server))).rejects.toThrow(
      /full_page_writes is off.*set full_page_writes = on.*STORE_ACCEPT_RISK=full-page-writes-off/,
    );
    const accepted = { acceptedRisks: ['full-page-writes-off'] } as const;
    await using other = await openTestConnections(urlOf(server), accepted);
    expect(other.risks).toHaveLength(1);
    await setSetting(server, 'full_page_writes', 'on');
    await expect.poll(() => node.risks).toEqual([]);
  });

  test('one that is not there is named at the start, without its secrets', async () => {
    await using gone = await startPostgresServer();
    await gone.kill();
    const url = urlOf(gone).replace('postgres@', 'me:secret-word@');
    const error = await openTestConnections(url, acceptAll).catch((reason: unknown) => reason);
    expect(String(error)).toContain(`127.0.0.1:${gone.port}`);
    expect(String(error)).toContain('ECONNREFUSED');
    expect(JSON.stringify([error, (error as Error).cause])).not.toContain('secret-word');
  });
});

/** Calls until the reason is that there are too many connections. */
async function until53300(call: () => Promise<unknown>): Promise<unknown> {
  let reason: unknown;
  await until(async () => {
    reason = await call().catch((error: unknown) => error);
    return sqlStateOf(reason) === '53300';
  });
  return reason;
}
