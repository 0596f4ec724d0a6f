import { expect, test } from 'vitest';
import type { ServerInUse } from '../../src/store/postgres/connections.ts';
import { changedNothing } from '../../src/store/postgres/error.ts';
import {
  describeWithOwnPostgres,
  startPostgresServer,
  startStandby,
  until,
} from '../support/postgres-server.ts';
import {
  expectUnavailable,
  openTestConnections,
  sessionsAt,
  untilServed,
  urlOf,
} from './postgres-test-connections.ts';

const insert = (n: number) => ({ text: 'insert into t values ($1)', values: [n] });
const unsafe = { acceptedRisks: ['no-synchronous-standby'] } as const;

async function startPair({ synchronous }: { readonly synchronous: boolean }) {
  await using started = new AsyncDisposableStack();
  const primary = started.use(await startPostgresServer());
  const standby = started.use(await startStandby(primary, { synchronous }));
  await primary.query('create table t (n int)');
  const stack = started.move();
  return { primary, standby, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describeWithOwnPostgres('several PostgreSQL servers', () => {
  test('when the primary dies its promoted standby is used, with all that was acknowledged, and the old one never again', async () => {
    await using pair = await startPair({ synchronous: true });
    const { primary, standby } = pair;
    const prepared: ServerInUse[] = [];
    const beforeWrites = async (_write: unknown, server: ServerInUse) => void prepared.push(server);
    await using node = await openTestConnections(urlOf(standby, primary), { beforeWrites });
    expect(node.server).toMatchObject({ name: `127.0.0.1:${primary.port}`, timeline: 1 });
    await node.write([insert(1)]);
    await primary.kill();
    await expectUnavailable(node.write([insert(9)]));
    await standby.promote();
    await untilServed(() => node.write([insert(2)]));
    expect(await node.read('select n from t where n < 9 order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(node.server).toMatchObject({ name: `127.0.0.1:${standby.port}`, timeline: 2 });
    expect(prepared.map(({ timeline }) => timeline)).toEqual([1, 2]);
    await primary.restart();
    await expect.poll(() => node.risks.join()).toContain(`127.0.0.1:${primary.port} takes writes too`);
    await standby.kill();
    await expect.poll(() => node.server?.name).toBe(`127.0.0.1:${standby.port}`);
    await expectUnavailable(node.write([insert(9)]));
  });

  test('a standby that is promoted while the primary lives is used at once, though both take writes', async () => {
    await using pair = await startPair({ synchronous: false });
    const { primary, standby } = pair;
    await using node = await openTestConnections(urlOf(primary, standby), unsafe);
    expect(node.risks).toEqual([expect.stringMatching(/^no-synchronous-standby: /)]);
    await standby.promote();
    await expect.poll(() => node.server).toMatchObject({ name: `127.0.0.1:${standby.port}`, timeline: 2 });
    await untilServed(() => node.write([insert(1)]));
    expect(await primary.query('select * from t')).toEqual([]);
    await using later = await openTestConnections(urlOf(primary, standby), unsafe);
    expect(later.server).toMatchObject({ timeline: 2 });
  });

  test('several hosts without a synchronous standby are refused', async () => {
    await using pair = await startPair({ synchronous: false });
    await expect(openTestConnections(urlOf(pair.primary, pair.standby))).rejects.toThrow(
      /synchronous_standby_names is empty.*STORE_ACCEPT_RISK=no-synchronous-standby/,
    );
  });

  test('while the only standby is frozen writes are rejected in time, none is cancelled, reads go on, and sessions stay within the limit', async () => {
    await using pair = await startPair({ synchronous: true });
    const { primary, standby } = pair;
    await using node = await openTestConnections(urlOf(primary));
    await node.write([insert(1)]);
    standby.freeze();
    for (let n = 2; n < 6; n += 1) {
      await expectUnavailable(node.write([insert(n)]));
      expect(await node.read('select 1 as one')).toEqual([{ one: 1 }]);
      expect(await sessionsAt(primary)).toBeLessThanOrEqual(6);
    }
    // What waits for the standby is not seen before the standby has it.
    expect(await node.read('select n from t')).toEqual([{ n: 1 }]);
    standby.thaw();
    await untilServed(() => node.write([insert(7)]));
    expect(await node.read('select n from t where n in (1, 7) order by n')).toEqual([{ n: 1 }, { n: 7 }]);
    await expect.poll(() => node.isComplete).toBe(true);
  });

  test('a commit whose wait for the standby is cancelled is rejected, though the server reports it as done', async () => {
    await using pair = await startPair({ synchronous: true });
    const { primary, standby } = pair;
    await using node = await openTestConnections(urlOf(primary));
    standby.freeze();
    const write = node.write([insert(1)]);
    write.catch(() => undefined);
    await until(async () => {
      const rows = await primary.query(
        "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'pingup-gateway'",
      );
      return rows.length > 0;
    });
    const error = await write.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(String((error as Error).cause)).toContain('not certain');
    expect(changedNothing(error)).toBe(false);
    standby.thaw();
  });

  test('a commit whose session is ended while it waits may have been done', async () => {
    await using pair = await startPair({ synchronous: true });
    const { primary, standby } = pair;
    await using node = await openTestConnections(urlOf(primary));
    standby.freeze();
    const write = node.write([insert(1)]).catch((reason: unknown) => reason);
    await until(async () => {
      const rows = await primary.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'pingup-gateway'",
      );
      return rows.length > 0;
    });
    const error = await write;
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(changedNothing(error)).toBe(false);
    expect(await node.read('select n from t')).toEqual([{ n: 1 }]);
    standby.thaw();
  });

  test('a primary that is frozen is left for the standby that is promoted', async () => {
    await using pair = await startPair({ synchronous: false });
    const { primary, standby } = pair;
    await using node = await openTestConnections(urlOf(primary, standby), unsafe);
    primary.freeze();
    await expectUnavailable(node.write([insert(1)]));
    await standby.promote();
    await untilServed(() => node.write([insert(2)]));
    expect(await standby.query('select n from t')).toEqual([{ n: 2 }]);
    primary.thaw();
    await expect.poll(() => node.risks.join()).toContain(`127.0.0.1:${primary.port} takes writes too`);
    expect(node.server).toMatchObject({ timeline: 2 });
  });
});
