import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { PostgresBackend } from '../../src/postgres-variables.ts';
import { CopyError, type CopySource, copyStore } from '../../src/store/copy.ts';
import { openPostgresSource, openPostgresTarget } from '../../src/store/postgres/copy.ts';
import { openPostgresStore } from '../../src/store/postgres/store.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { openSqliteSource, openSqliteTarget } from '../../src/store/sqlite-copy.ts';
import { storeVariables, toBackend } from '../../src/store-variables.ts';
import {
  describeWithOwnPostgres,
  setSetting,
  startAnyPostgres,
  startPostgresServer,
  type TestDatabase,
} from '../support/postgres-server.ts';
import { accepted, beginSend, business, keyedSend, newSend, news, someText } from './samples.ts';
import { rowsOf, temporaryDirectory } from './sqlite-test-store.ts';

const other = 'other';
const day = 86_400_000;
const odd = 'a\u0000b\ud800c\udc00\ue000\ue001\u{1f600}\ufffd"\\';

function backendOf(url: string): PostgresBackend {
  const backend = toBackend(z.object(storeVariables).parse({ STORE_URL: url }));
  if (backend.kind !== 'postgres') throw new Error(`${url} is no PostgreSQL.`);
  return backend;
}

/** Something of everything that a store keeps, and numbers whose rows are gone. */
async function fill(path: string): Promise<void> {
  await using store = await openSqliteStore({ path });
  const at = Date.now();
  for (const whose of [business, other]) {
    const send = { business: whose, at };
    const attempt = await beginSend(store, keyedSend('kept', { ...send, fingerprint: 'f' }));
    await store.accept(attempt, {
      ...accepted('m1', { clientName: odd, scheduledFor: at + day }),
      business: whose,
    });
    const unknown = await beginSend(store, keyedSend('unknown', send));
    await store.fail(whose, unknown, 'SEND_OUTCOME_UNKNOWN', at + 1);
    const notSent = await beginSend(store, keyedSend('free again', send));
    await store.fail(whose, notSent, 'PINGUP_UNAVAILABLE', at + 2);
    await beginSend(store, newSend({ ...send, text: { ...someText, textMessage: odd } }));
    const forgotten = await beginSend(store, newSend({ ...send, text: { ...someText, client: 'gone' } }));
    await store.accept(forgotten, { ...accepted('m2', { client: 'gone' }), business: whose });
    await store.forget({ business: whose, client: 'gone', clientPhone: null });
  }
  const failed = {
    status: 'FAILED',
    at,
    receivedAt: at + 5,
    rawStatus: odd,
    failure: { code: null, reason: odd },
  } as const;
  await store.record([
    news('m1', 'READ', at + 10),
    news('m1', 'SENT', at + 7),
    { business, id: 'only callbacks 😀', details: null, history: [failed] },
    ...Array.from({ length: 1_200 }, (_, index) => ({
      ...news(`n${index}`, 'SENT', at - index),
      business: other,
    })),
  ]);
  const callback = { business, reason: `because ${odd}`, receivedAt: at };
  await store.record(
    [],
    [
      { ...callback, raw: 'deleted' },
      { ...callback, raw: 'kept' },
      { ...callback, raw: 'kept', receivedAt: at + 3 },
      ...Array.from({ length: 50 }, (_, index) => ({ ...callback, raw: `${index} `.repeat(1_000) })),
    ],
  );
  await store.deleteQuarantined(business, ['1']);
}

/** All that is in a file but `seq`, which never leaves it. */
function contentOf(path: string): unknown {
  const tables = ['businesses', 'messages', 'sends', 'quarantine'];
  return tables.map((table) =>
    rowsOf(path, `SELECT * FROM ${table} ORDER BY business${table === 'businesses' ? '' : ', number'}`).map(
      (row) => ({ ...(row as object), seq: null }),
    ),
  );
}

async function toPostgres(path: string, database: TestDatabase) {
  using source = await openSqliteSource(path);
  await using target = await openPostgresTarget(backendOf(database.url));
  return await copyStore(source, target);
}

async function toSqlite(database: TestDatabase, path: string) {
  await using source = await openPostgresSource(backendOf(database.url));
  using target = await openSqliteTarget(path);
  return await copyStore(source, target);
}

const counts = { businesses: 2, messages: 1_204 - 1, sends: 10, quarantine: 51 };
const countText = 'select count(*)::int as count from pingup_gateway.message';

describe('a copy', () => {
  let server: Awaited<ReturnType<typeof startAnyPostgres>>;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let full: string;
  beforeAll(async () => {
    server = await startAnyPostgres();
    directory = await temporaryDirectory();
    full = directory.file('full.db');
    await fill(full);
  });
  afterAll(async () => {
    await directory[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test('from SQLite to PostgreSQL and back brings everything, as it was, and the counters of the limits', async () => {
    const database = await server.createDatabase();
    const back = directory.file('back.db');
    expect(await toPostgres(full, database)).toEqual({ wasThere: false, counts });
    expect(await toSqlite(database, back)).toEqual({ wasThere: false, counts });
    expect(contentOf(back)).toEqual(contentOf(full));
    const columns = 'callback_only_messages, quarantine_entries, quarantine_bytes';
    const there = await database.query(
      `select business, ${columns} from pingup_gateway.business order by business`,
    );
    const here = rowsOf(full, `SELECT business, ${columns} FROM businesses ORDER BY business`);
    const asText = (rows: readonly unknown[]) => rows.map((row) => Object.values(row as object).map(String));
    expect(asText(there)).toEqual(asText(here));
    expect(asText(here)[0]?.slice(1, 3)).toEqual(['1', '51']);
  });

  test('a send that was made before is the same send after it, and what is new gets numbers that were never given', async () => {
    const database = await server.createDatabase();
    const back = directory.file('served.db');
    await toPostgres(full, database);
    await toSqlite(database, back);
    await using store = await openSqliteStore({ path: back });
    const idempotency = { key: 'kept', fingerprint: 'f', validSince: 0 };
    expect(await store.findRepeat(business, idempotency)).toMatchObject({ kind: 'accepted' });
    expect(await store.findRepeat(business, { ...idempotency, fingerprint: 'another' })).toEqual({
      kind: 'reused',
    });
    expect(Number(await beginSend(store))).toBe(6);
  });

  test('PostgreSQL serves what was copied, with the next numbers', async () => {
    const database = await server.createDatabase();
    await toPostgres(full, database);
    await using store = await openPostgresStore(backendOf(database.url));
    const idempotency = { key: 'kept', fingerprint: 'f', validSince: 0 };
    expect(await store.findRepeat(business, idempotency)).toMatchObject({ kind: 'accepted' });
    const states = await store.watch({ business, id: 'm1' });
    const first = await states?.next();
    expect(first?.value).toMatchObject({ details: { clientName: odd } });
    await states?.return?.();
    expect(Number(await beginSend(store))).toBe(6);
    const { entries } = await store.quarantined({ business, first: 1 });
    const kept = await store.findQuarantined(business, entries[0]?.callback.id ?? '');
    expect(kept?.raw).toBe('49 '.repeat(1_000));
  });

  test('rows are in the order that retention walks along', async () => {
    const database = await server.createDatabase();
    const back = directory.file('ordered.db');
    await toPostgres(full, database);
    await toSqlite(database, back);
    const rows = await database.query(
      'select updated_at::float8 as at from pingup_gateway.message order by business, change',
    );
    const [own, others] = [rows.slice(0, 2), rows.slice(2)].map((some) => some.map(({ at }) => Number(at)));
    expect(own).toEqual(own?.toSorted((a, b) => a - b));
    expect(others).toEqual(others?.toSorted((a, b) => a - b));
    const created = rowsOf(back, 'SELECT created_at FROM messages ORDER BY seq').map((row) =>
      JSON.stringify(row),
    );
    expect(created).toEqual(created.toSorted());
  });

  test('once more is no second copy', async () => {
    const database = await server.createDatabase();
    const back = directory.file('twice.db');
    await toPostgres(full, database);
    const changes = 'select id, change from pingup_gateway.message order by business, id';
    const before = await database.query(changes);
    expect(await toPostgres(full, database)).toEqual({ wasThere: true, counts });
    expect(await database.query(changes)).toEqual(before);
    await toSqlite(database, back);
    expect(await toSqlite(database, back)).toEqual({ wasThere: true, counts });
  });

  test('a target that holds anything else is refused and stays as it is', async () => {
    const database = await server.createDatabase();
    const small = directory.file('small.db');
    {
      await using store = await openSqliteStore({ path: small });
      await store.record([news('m1', 'SENT')]);
    }
    await toPostgres(small, database);
    await expect(toPostgres(full, database)).rejects.toThrow(/not empty.*messages \(1203 here, 1 there\)/);
    expect(await database.query(countText)).toEqual([{ count: 1 }]);
    const before = contentOf(full);
    await expect(toSqlite(database, full)).rejects.toThrow(CopyError);
    expect(contentOf(full)).toEqual(before);
  });

  test('one row that differs is noticed', async () => {
    const database = await server.createDatabase();
    await toPostgres(full, database);
    await database.query(
      `update pingup_gateway.send set idempotency_key = 'x' where number = 1 and business = '${other}'`,
    );
    await expect(toPostgres(full, database)).rejects.toThrow('sends (10, not the same)');
  });

  test('a break in the middle leaves nothing, and the next run brings all', async () => {
    const database = await server.createDatabase();
    const back = directory.file('broken.db');
    {
      using source = await openSqliteSource(full);
      await using target = await openPostgresTarget(backendOf(database.url));
      await expect(copyStore(broken(source), target)).rejects.toThrow('It broke.');
    }
    expect(await database.query(countText)).toEqual([{ count: 0 }]);
    await toPostgres(full, database);
    {
      await using source = await openPostgresSource(backendOf(database.url));
      using target = await openSqliteTarget(back);
      await expect(copyStore(broken(source), target)).rejects.toThrow('It broke.');
    }
    expect(rowsOf(back, 'SELECT count(*) AS count FROM messages')).toEqual([{ count: 0 }]);
    expect(await toSqlite(database, back)).toEqual({ wasThere: false, counts });
    expect(contentOf(back)).toEqual(contentOf(full));
  });

  test('killed at any moment, it leaves all or nothing, and the next run brings all, both ways', async () => {
    const database = await server.createDatabase();
    const back = directory.file('killed.db');
    for (const [from, to] of [
      [`sqlite:${full}`, database.url],
      [database.url, `sqlite:${back}`],
    ] as const) {
      for (const line of ['messages', 'quarantine']) {
        await using child = startCopy(from, to);
        await child.until(line);
        await child.kill();
      }
      await using child = startCopy(from, to);
      expect(await child.end()).toEqual({
        code: 0,
        last: expect.stringMatching(/2 businesses, 1203 messages, 10 sends, 51 quarantine\.$/),
      });
    }
    expect(contentOf(back)).toEqual(contentOf(full));
  });

  test('while a gateway uses either, it is refused', async () => {
    const database = await server.createDatabase();
    const used = directory.file('used.db');
    await toPostgres(full, database);
    await using store = await openSqliteStore({ path: used });
    await expect(openSqliteSource(used)).rejects.toThrow('in use by another process');
    await expect(openSqliteTarget(used)).rejects.toThrow('in use by another process');
    expect(await store.find({ business, id: 'm1' })).toBeUndefined();
    const gateway = new Client({ connectionString: database.url, application_name: 'pingup-gateway' });
    await gateway.connect();
    try {
      await expect(openPostgresSource(backendOf(database.url))).rejects.toThrow('Stop all gateways first.');
      await expect(openPostgresTarget(backendOf(database.url))).rejects.toThrow('Stop all gateways first.');
    } finally {
      await gateway.end();
    }
  });

  test('nobody can write to what is being copied', async () => {
    const database = await server.createDatabase();
    await toPostgres(full, database);
    const source = await openPostgresSource(backendOf(database.url));
    const writing = database.query('delete from pingup_gateway.message');
    await expect
      .poll(() =>
        database.query(
          "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        ),
      )
      .toHaveLength(1);
    using target = await openSqliteTarget(directory.file('locked.db'));
    expect(await copyStore(source, target)).toMatchObject({ counts });
    await source[Symbol.asyncDispose]();
    await writing;
  });

  test('what cannot be read is told, and nothing is made for it', async () => {
    const missing = directory.file('none/gateway.db');
    await expect(openSqliteSource(missing)).rejects.toThrow(`There is no file ${missing}.`);
    expect(rowsOf(full, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const database = await server.createDatabase();
    await expect(openPostgresSource(backendOf(database.url))).rejects.toThrow('Run these files');
    await using child = startCopy(`sqlite:${missing}`, database.url);
    expect(await child.end()).toEqual({ code: 1, last: `There is no file ${missing}.` });
    await using unknown = startCopy(`sqlite:${full}`, 'mysql://user:secret@host/base');
    const { code, last } = await unknown.end();
    expect(code).toBe(1);
    expect(last).toMatch(/^An address of a store: expected sqlite:/);
    expect(last).not.toContain('secret');
  });
});

describeWithOwnPostgres('a copy to a PostgreSQL with a standby', () => {
  test('is not certain if somebody cancels its wait for the standby', async () => {
    await using server = await startPostgresServer();
    await using directory = await temporaryDirectory();
    const path = directory.file('gateway.db');
    await fill(path);
    await (await openPostgresTarget(backendOf(server.url)))[Symbol.asyncDispose]();
    await setSetting(server, 'synchronous_standby_names', 'gone');
    const copying = expect(toPostgres(path, server)).rejects.toThrow('The commit is not certain');
    const cancel = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
    await expect.poll(() => server.query(cancel), { timeout: 20_000 }).toHaveLength(1);
    await copying;
    expect(await toPostgres(path, server)).toEqual({ wasThere: true, counts });
  });
});

/** It ends after the first rows of the sends. */
function broken(source: CopySource): CopySource {
  async function* sends() {
    for await (const rows of source.read.sends('created')) {
      yield rows.slice(0, 3);
      throw new Error('It broke.');
    }
  }
  return { read: { ...source.read, sends } };
}

const program = new URL('../../src/store/copy-command.ts', import.meta.url).pathname;

function startCopy(from: string, to: string) {
  const env = { PATH: process.env['PATH'] };
  const child = spawn(process.execPath, [program, from, to], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'close');
  const lines: string[] = [];
  const heard = Promise.withResolvers<void>();
  let wanted = '';
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (wanted && line.startsWith(wanted)) heard.resolve();
    });
  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }
  return {
    until: async (line: string) => {
      wanted = line;
      await Promise.race([heard.promise, exited]);
    },
    end: async () => {
      const [code] = await exited;
      return { code, last: lines.at(-1) };
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
