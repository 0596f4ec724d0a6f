import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { statusOf } from '../../src/message.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { testWith } from '../support/programs.ts';
import { servesAgain, timeToRefuse } from './contract/test-store.ts';
import { accepted, beginSend, business, key, keyedSend, news, someTime } from './samples.ts';
import { openTestStore, temporaryDirectory } from './sqlite-test-store.ts';
import { startChild } from './start-child.ts';

test('while another program holds the lock, reads are served', async () => {
  await using t = await openTestStore();
  await t.store.record([news('m1', 'SENT')]);
  await t.breakDown();
  const write = expect(t.store.record([news('m1', 'READ')])).rejects.toThrow();
  expect(await t.store.find(key('m1'))).toEqual(news('m1', 'SENT'));
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
    warn: (_: object, sentence: string) => heard.push(sentence),
    error: (_: object, sentence: string) => heard.push(sentence),
  };
  const path = directory.file('gateway.db');
  await using store = await openSqliteStore({ path, log });
  using intruder = new DatabaseSync(path);
  intruder.exec('BEGIN IMMEDIATE');
  await Promise.allSettled([store.check(), store.check()]);
  await Promise.allSettled([store.check(), store.find(key('m1'))]);
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
  expect(await t.store.find(key('good'))).toBeUndefined();
  await t.store.record([news('good', 'READ')]);
  expect(await t.store.find(key('good'))).toEqual(news('good', 'READ'));
});

test('a begin that was given up and happened after all is NOT_SENT, and its key is free', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  await using store = await openSqliteStore({ path, patienceMs: 500 });
  using intruder = new DatabaseSync(path);
  intruder.exec('BEGIN IMMEDIATE');
  await expect(store.begin(keyedSend('k'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  intruder.exec('ROLLBACK');
  const outcomes = async () =>
    (await store.sends({ business, first: 9 })).entries.map(({ send }) => [send.outcome, send.errorCode]);
  await expect.poll(outcomes).toEqual([['NOT_SENT', 'STORE_UNAVAILABLE']]);
  await expect.poll(() => beginSend(store, keyedSend('k', { fingerprint: 'other' }))).toBeTypeOf('string');
});

testWith(
  'prlimit',
  'a full disk gives STORE_UNAVAILABLE, and room on it serves again without a restart',
  {},
  async () => {
    await using directory = await temporaryDirectory();
    await using child = startChild(directory.file('gateway.db'), 'fill', { fileKilobytes: 300 });
    expect(await child.line()).toBe('open');
    expect(await child.line()).toBe('refused STORE_UNAVAILABLE, still reads f0');
    await once(spawn('prlimit', ['--pid', `${child.pid}`, '--fsize=unlimited']), 'exit');
    expect(await child.line()).toBe('recovered');
  },
);

test.each(['', '-wal', '-owner'])(
  'while gateway.db%s is not where it was, nothing is written, and all serves again once it is back',
  async (suffix) => {
    await using t = await openTestStore();
    const file = `${t.path}${suffix}`;
    await rename(file, `${t.path}-away`);
    const refusal = { code: 'STORE_UNAVAILABLE', cause: { message: expect.stringContaining(file) } };
    await expect(t.store.check()).rejects.toMatchObject(refusal);
    await writeFile(file, '');
    await expect(t.store.record([news('m1', 'SENT')])).rejects.toMatchObject(refusal);
    await rm(file);
    await rename(`${t.path}-away`, file);
    await t.store.record([news('m2', 'SENT')]);
    await t.reopen();
    expect(await t.store.find(key('m1'))).toBeUndefined();
    expect(await t.store.find(key('m2'))).toEqual(news('m2', 'SENT'));
  },
);

test('a worker that dies while the database is gone gets no empty one in its place', async () => {
  await using died = await openWithWorker();
  const { t, worker } = died;
  await t.store.record([news('m1', 'SENT')]);
  await rename(t.path, `${t.path}-away`);
  await worker.terminate();
  await timeToRefuse(t.store.check());
  await rename(`${t.path}-away`, t.path);
  await servesAgain(t.store);
  expect(await t.store.find(key('m1'))).toEqual(news('m1', 'SENT'));
});

test('answers that are too large together fail the calls that they have no room for, and no others', async () => {
  await using directory = await temporaryDirectory();
  await using store = await openSqliteStore({
    path: directory.file('gateway.db'),
    patienceMs: 60_000,
  });
  const ids = Array.from({ length: 40 }, (_, index) => `m${index}`);
  const textMessage = 'a'.repeat(2_000_000);
  for (const id of ids) await store.record([accepted(id, { textMessage })]);
  const found: Promise<unknown>[] = [];
  for (const id of ids) {
    found.push(store.find(key(id)));
    // The next turn: what is asked for in one is one call.
    await Promise.resolve();
  }
  const write = store.record([news('small', 'SENT')]);
  const results = await Promise.allSettled(found);
  await write;
  const failed = results.filter((result) => result.status === 'rejected');
  // 33 of them fit into 64 Mi characters.
  expect(failed).toHaveLength(ids.length - 33);
  for (const { reason } of failed) expect(reason).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect((await store.find(key('m39')))?.details?.textMessage).toHaveLength(2_000_000);
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
  await servesAgain(t.store);
  await t.store.record([news('m1', 'READ')]);
  expect((await t.store.find(key('m1')))?.history.map((event) => event.status)).toEqual(['SENT', 'READ']);
  await expect(openSqliteStore({ path: t.path })).rejects.toThrow(/in use/);
});

test('a worker that is replaced leaves sends open that may still be answered', async () => {
  await using died = await openWithWorker();
  const { t, worker } = died;
  const attempt = await beginSend(t.store, keyedSend('k'));
  await worker.terminate();
  await servesAgain(t.store);
  expect(await t.store.begin(keyedSend('k'))).toEqual({ kind: 'running' });
  await t.store.fail(business, attempt, 'PINGUP_UNAVAILABLE', someTime);
  await beginSend(t.store, keyedSend('k'));
});

test('a watch hears what a worker wrote and did not live to tell', async () => {
  await using died = await openWithWorker();
  const { t, worker } = died;
  await t.store.record([news('m1', 'SENT')]);
  const states = await t.store.watch(key('m1'));
  await states?.next();
  const next = states?.next();
  using db = new DatabaseSync(t.path);
  db.exec(`UPDATE messages SET history = '[["SENT",1,1,null,null],["READ",2,2,null,null]]'`);
  await worker.terminate();
  const result = await next;
  expect(result?.value && statusOf(result.value)).toBe('READ');
});

test('a watch ends when its message was deleted by a worker that did not live to tell', async () => {
  await using died = await openWithWorker();
  const { t, worker } = died;
  await t.store.record([news('m1', 'SENT')]);
  const states = await t.store.watch(key('m1'));
  await states?.next();
  const next = states?.next();
  using db = new DatabaseSync(t.path);
  db.exec('DELETE FROM messages');
  await worker.terminate();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('kill -9 at any moment loses nothing that was acknowledged', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  for (let round = 0; round < 20; round += 1) {
    const acknowledged = await writeAndKill(path, 1 + Math.floor(Math.random() * 400));
    await using store = await openSqliteStore({ path });
    for (const id of acknowledged) expect(await store.find(key(id))).toEqual(accepted(id));
    await store.prune(someTime + 1);
  }
}, 180_000);

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
