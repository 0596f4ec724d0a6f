import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Answer } from '../../src/store/sqlite-protocol.ts';
import { createQueue, type QueueLimits } from '../../src/store/sqlite-queue.ts';

/** A worker that echoes the calls of a batch, and freezes before it does while it is told to. */
const echoing = `
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.on('message', (batch) => {
    Atomics.wait(workerData, 0, 1);
    parentPort.postMessage(JSON.parse(batch).map((value) => value === 'bad' ? { error: 'bad call' } : { value }));
  });
  parentPort.postMessage('ready');
`;

async function startEcho(limits: QueueLimits) {
  const frozen = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(echoing, { eval: true, workerData: frozen });
  await once(worker, 'message');
  const queue = createQueue(limits);
  const batches: string[] = [];
  worker.on('message', (answers: Answer[]) => queue.answer(answers));
  queue.connect((batch) => {
    batches.push(batch);
    worker.postMessage(batch);
  });
  return {
    queue,
    batches,
    freeze: () => Atomics.store(frozen, 0, 1),
    thaw: () => {
      Atomics.store(frozen, 0, 0);
      Atomics.notify(frozen, 0);
    },
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
    },
  };
}

test('calls of one turn share a batch, and what comes meanwhile the next', async () => {
  await using echo = await startEcho({});
  const first = Promise.all(['1', '2', '3'].map((call) => echo.queue.ask(call)));
  await new Promise(setImmediate);
  const second = Promise.all(['4', '5'].map((call) => echo.queue.ask(call)));
  expect(await first).toEqual([1, 2, 3]);
  expect(await second).toEqual([4, 5]);
  expect(echo.batches).toEqual(['[1,2,3]', '[4,5]']);
});

test('a batch is no longer than its limit', async () => {
  await using echo = await startEcho({ maxBatch: 2 });
  await Promise.all(['1', '2', '3', '4', '5'].map((call) => echo.queue.ask(call)));
  expect(echo.batches).toEqual(['[1,2]', '[3,4]', '[5]']);
});

test('a batch has only so many heavy calls, and what is asked later goes before those that are left', async () => {
  await using echo = await startEcho({ maxHeavy: 2 });
  const heavy = ['1', '2', '3'].map((call) => echo.queue.ask(call, { heavy: true }));
  const light = ['4', '5'].map((call) => echo.queue.ask(call));
  expect(await Promise.all([...heavy, ...light])).toEqual([1, 2, 3, 4, 5]);
  expect(echo.batches).toEqual(['[1,2,4,5]', '[3]']);
});

test('an unhurried call goes alone, is not given up, and holds nobody else beyond its time', async () => {
  await using echo = await startEcho({ patienceMs: 200 });
  const first = echo.queue.ask('1');
  const unhurried = echo.queue.ask('2', { unhurried: true });
  expect([await first, await echo.queue.ask('3')]).toEqual([1, 3]);
  expect(await unhurried).toBe(2);
  expect(echo.batches).toEqual(['[1]', '[2]', '[3]']);

  echo.freeze();
  const vacuum = echo.queue.ask('4', { unhurried: true });
  const other = echo.queue.ask('5');
  await expect(other).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  echo.thaw();
  expect(await vacuum).toBe(4);
});

test('an unhurried call that waits for a worker keeps nobody else waiting', async () => {
  const queue = createQueue({ patienceMs: 100 });
  const vacuum = expect(queue.ask('1', { unhurried: true })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
  await expect(queue.ask('2')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  queue.disconnect(new Error('gone'));
  await vacuum;
});

test('calls that are long together do not share a batch', async () => {
  await using echo = await startEcho({ maxChars: 4 });
  await Promise.all(['111', '222', '33333', '4'].map((call) => echo.queue.ask(call)));
  expect(echo.batches).toEqual(['[111,222]', '[33333]', '[4]']);
});

test('a call that fails rejects alone, with its reason as the cause', async () => {
  await using echo = await startEcho({});
  const bad = echo.queue.ask('"bad"');
  const good = echo.queue.ask('"good"');
  await expect(bad).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { message: 'bad call' } });
  expect(await good).toBe('good');
});

test('an answer that came while this thread was held up for longer than a call waits is heard', async () => {
  await using echo = await startEcho({ patienceMs: 500 });
  const answer = echo.queue.ask('1');
  await new Promise(setImmediate);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
  expect(await answer).toBe(1);
});

test('a frozen worker gives STORE_UNAVAILABLE to what is out and to what waits, each in its time', async () => {
  await using echo = await startEcho({ patienceMs: 100 });
  echo.freeze();
  for (let round = 0; round < 3; round += 1) {
    const began = performance.now();
    await expect(echo.queue.ask('1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(performance.now() - began).toBeGreaterThan(99);
  }
  echo.thaw();
  expect(echo.batches).toEqual(['[1]']);
});

test('a late answer is heard of, though its call was given up, and later calls are served', async () => {
  await using echo = await startEcho({ patienceMs: 100 });
  echo.freeze();
  const late = Promise.withResolvers<unknown>();
  await expect(echo.queue.ask('1', { heard: late.resolve })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
  });
  echo.thaw();
  expect(await late.promise).toBe(1);
  expect(await echo.queue.ask('2')).toBe(2);
});

test('a call that was given up before it left never leaves', async () => {
  await using echo = await startEcho({ patienceMs: 100 });
  echo.freeze();
  const first = echo.queue.ask('1');
  await new Promise(setImmediate);
  const second = echo.queue.ask('2');
  await Promise.allSettled([first, second]);
  echo.thaw();
  expect(await echo.queue.ask('3')).toBe(3);
  expect(echo.batches).toEqual(['[1]', '[3]']);
});

test('beyond the bound a call is refused at once', async () => {
  await using echo = await startEcho({ maxPending: 2, patienceMs: 60_000 });
  echo.freeze();
  const pending = [echo.queue.ask('1'), echo.queue.ask('2')];
  await expect(echo.queue.ask('3')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  echo.thaw();
  expect(await Promise.all(pending)).toEqual([1, 2]);
  expect(await echo.queue.ask('4')).toBe(4);
  await echo.queue.close();
});

test('what is pending when the worker is lost rejects, and what comes later waits for the next worker', async () => {
  await using lost = await startEcho({});
  await using next = await startEcho({});
  lost.freeze();
  const pending = lost.queue.ask('1');
  lost.queue.disconnect(new Error('lost'));
  await expect(pending).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { message: 'lost' } });
  const later = lost.queue.ask('2');
  lost.queue.connect((batch) => lost.queue.answer(JSON.parse(batch).map((value: unknown) => ({ value }))));
  expect(await later).toBe(2);
  expect(await next.queue.ask('3')).toBe(3);
  lost.thaw();
});

test('a closed queue has answered what came before, and refuses what comes after', async () => {
  await using echo = await startEcho({});
  const before = echo.queue.ask('1');
  const closed = echo.queue.close();
  await expect(echo.queue.ask('2')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await closed;
  expect(await before).toBe(1);
});
