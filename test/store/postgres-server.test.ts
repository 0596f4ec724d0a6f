import { expect, test } from 'vitest';
import { isAlive, isStopped } from '../support/postgres-processes.ts';
import {
  describeWithOwnPostgres,
  startPostgresServer,
  startStandby,
  until,
} from '../support/postgres-server.ts';

describeWithOwnPostgres('the PostgreSQL of the tests', () => {
  test('it survives a kill of all its processes with what it acknowledged', async () => {
    await using server = await startPostgresServer();
    await server.query('create table kept (n int); insert into kept values (7)');
    await server.kill();
    await expect(server.query('select 1')).rejects.toThrow();
    await server.restart();
    expect(await server.query('select n from kept')).toEqual([{ n: 7 }]);
  });

  test('two run side by side, and a server serves many databases, each alone', async () => {
    await using first = await startPostgresServer(['max_connections=7']);
    await using second = await startPostgresServer();
    expect(await first.query('show max_connections')).toEqual([{ max_connections: '7' }]);
    expect(await second.query('show max_connections')).toEqual([{ max_connections: '100' }]);
    const [one, other] = await Promise.all([first.createDatabase(), first.createDatabase()]);
    await one.query('create table t ()');
    await expect(other.query('select * from t')).rejects.toThrow('does not exist');
  });

  test('a frozen one does nothing, and goes on where it was', async () => {
    await using server = await startPostgresServer();
    server.freeze();
    const answer = server.query('select 1 as one');
    await until(async () => [server.pid, ...server.backends()].every(isStopped));
    server.thaw();
    expect(await answer).toEqual([{ one: 1 }]);
  });

  test('a standby has what was committed, and takes writes once it is promoted', async () => {
    await using primary = await startPostgresServer();
    await using standby = await startStandby(primary, { synchronous: true });
    await primary.query('create table t (n int); insert into t values (1)');
    await primary.kill();
    await standby.promote();
    await standby.query('insert into t values (2)');
    expect(await standby.query('select n from t order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await standby.query('select pg_walfile_name(pg_current_wal_lsn()) as name')).toEqual([
      { name: expect.stringMatching(/^00000002/) },
    ]);
  });

  test('it ends with its scope, and so do all its processes', async () => {
    const pids: number[] = [];
    {
      await using server = await startPostgresServer();
      pids.push(server.pid, ...server.backends());
    }
    expect(pids.length).toBeGreaterThan(3);
    expect(pids.filter(isAlive)).toEqual([]);
  });
});
