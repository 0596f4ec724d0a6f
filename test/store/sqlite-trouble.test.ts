import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { statusOf } from '../../src/message.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { accepted, news, someTime } from './samples.ts';
import { openTestStore, temporaryDirectory } from './sqlite-test-store.ts';
import { startChild } from './start-child.ts';

test('while another program holds the lock, reads are served', async () => {
  await using t = await openTestStore();
  await t.store.record([news('m1', 'SENT')]);
  await t.breakDown();
  const write = expect(t.store.record([news('m1', 'READ')])).rejects.toThrow();
  expect(await t.store.find('m1')).toEqual(news('m1', 'SENT'));
  await write;
  await t.repair();
});

test('a lock that is gone within a second is waited for', async () => {
  await using t = await openTestStore();
  await t.breakDown();
  const write = t.store.record([news('m1', 'SENT')]);
  await new Promise(setImmediate);
  await t.repair();
  await write;
});

test('the operator hears of the first failure, and of the recovery, once each', async () => {
  await using directory = await temporaryDirectory();
  const heard: string[] = [];
  const log = {
    info: (_: object, sentence: string) => heard.push(sentence),
    error: (_: object, sentence: string) => heard.push(sentence),
  };
  const path = directory.file('gateway.db');
  await using store = await openSqliteStore({ path, log });
  using intruder = new DatabaseSync(path);
  intruder.exec('BEGIN IMMEDIATE');
  await Promise.allSettled([store.check(), store.check()]);
  await Promise.allSettled([store.check(), store.find('m1')]);
  intruder.exec('ROLLBACK');
  await store.check();
  await store.check();
  expect(heard).toEqual(['The store cannot serve.', 'The store serves again.']);
});

test('a record that fails half-way leaves nothing of it, and the next is served', async () => {
  await using t = await openTestStore();
  using db = new DatabaseSync(t.path);
  db.exec(`CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN new.id = 'bad'
    BEGIN SELECT RAISE(ABORT, 'refused'); END`);
  const record = t.store.record([news('good', 'SENT'), news('bad', 'SENT')]);
  await expect(record).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { message: 'refused' } });
  expect(await t.store.find('good')).toBeUndefined();
  await t.store.record([news('good', 'READ')]);
  expect(await t.store.find('good')).toEqual(news('good', 'READ'));
});

test('a full disk gives STORE_UNAVAILABLE, and room on it serves again without a restart', async () => {
  await using directory = await temporaryDirectory();
  await using child = startChild(directory.file('gateway.db'), 'fill', { fileKilobytes: 300 });
  expect(await child.line()).toBe('open');
  expect(await child.line()).toBe('refused STORE_UNAVAILABLE, still reads f0');
  await once(spawn('prlimit', ['--pid', `${child.pid}`, '--fsize=unlimited']), 'exit');
  expect(await child.line()).toBe('recovered');
});

test('a worker that dies takes what is pending along, and is replaced', async () => {
  await using died = await openWithWorker();
  const { t, worker } = died;
  await t.store.record([news('m1', 'SENT')]);
  const pending = expect(t.store.record([news('m2', 'SENT')])).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
  await worker.terminate();
  await pending;
  await t.store.record([news('m1', 'READ')]);
  expect((await t.store.find('m1'))?.history.map((event) => event.status)).toEqual(['SENT', 'READ']);
  await expect(openSqliteStore({ path: t.path })).rejects.toThrow(/in use/);
});

test('a watch hears what a worker wrote and did not live to tell', async () => {
  await using died = await openWithWorker();
  const { t, worker } = died;
  await t.store.record([news('m1', 'SENT')]);
  const states = await t.store.watch('m1');
  await states?.next();
  const next = states?.next();
  using db = new DatabaseSync(t.path);
  db.exec(`UPDATE messages SET history = '[["SENT",1,1,null,null],["READ",2,2,null,null]]'`);
  await worker.terminate();
  const result = await next;
  expect(result?.value && statusOf(result.value)).toBe('READ');
});

test('kill -9 at any moment loses nothing that was acknowledged', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  for (let round = 0; round < 20; round += 1) {
    const acknowledged = await writeAndKill(path, 1 + Math.floor(Math.random() * 400));
    await using store = await openSqliteStore({ path });
    for (const id of acknowledged) expect(await store.find(id)).toEqual(accepted(id));
    await store.prune(someTime + 1);
  }
}, 60_000);

/** Has a child write, kills it once it has acknowledged so many messages, and returns all it acknowledged. */
async function writeAndKill(path: string, acknowledgements: number): Promise<string[]> {
  await using child = startChild(path, 'write');
  const ids: string[] = [];
  for await (const line of child.lines) {
    if (line.startsWith('wrote ')) ids.push(line.slice('wrote '.length));
    if (ids.length === acknowledgements) await child.kill();
  }
  return ids;
}

/** A store together with its worker, of which nothing else knows. */
async function openWithWorker() {
  const started = once(process, 'worker') as Promise<[Worker]>;
  const t = await openTestStore();
  const [worker] = await started;
  return { t, worker, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}
