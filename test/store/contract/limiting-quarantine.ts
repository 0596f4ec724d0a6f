import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { QuarantinedCallback } from '../../../src/store/port.ts';
import type { StoreEvent } from '../../../src/store-event.ts';
import { business, news, someTime } from '../samples.ts';
import { quarantinedIn } from './quarantining.ts';
import { type Open, servesAgain, timeToRefuse } from './test-store.ts';

const mebibyte = 1_048_576;

export function limitingQuarantine(open: Open): void {
  test('beyond the bytes of a business the oldest bodies go, and what was there last stays', async () => {
    const { events, lines, ...watched } = watchEvents();
    await using t = await open({ ...watched, limits: { quarantineBytes: mebibyte } });
    await t.store.record([], [callback('theirs', { business: 'other' })]);
    const bodies = Array.from({ length: 24 }, () => incompressible(49_152));
    for (const [index, raw] of bodies.entries())
      await t.store.record([], [callback(raw, { receivedAt: someTime + index, reason: `reason ${index}` })]);
    const kept = await quarantinedIn(t.store);
    // Each takes 48 KiB and a few hundred bytes.
    expect(kept.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 21 }, (_, index) => `reason ${23 - index}`),
    );
    expect(await quarantinedIn(t.store, 'other')).toHaveLength(1);
    expect(events).toEqual(Array(3).fill(['quarantineEvicted', 1]));
    expect(lines).toMatchObject(
      Array.from({ length: 3 }, (_, index) => ({
        business,
        reason: `reason ${index}`,
        receivedAt: new Date(someTime + index).toISOString(),
        bytes: expect.any(Number),
      })),
    );
  });

  test('beyond the entries of a business the oldest goes, and a repeat is no new entry', async () => {
    await using t = await open({ limits: { quarantineEntries: 2 } });
    for (const raw of ['1', '2', '2', '3', '3']) await t.store.record([], [callback(raw)]);
    expect((await quarantinedIn(t.store)).map(({ id, times }) => [id, times])).toEqual([
      ['3', 2],
      ['2', 2],
    ]);
  });

  test('one business that fills its quarantine gets no write of another refused', async () => {
    await using t = await open({ limits: { quarantineEntries: 1, callbackOnlyMessages: 1 } });
    const flood = Array.from({ length: 50 }, (_, index) => t.store.record([], [callback(`body ${index}`)]));
    const theirs = t.store.record(
      [{ ...news('m', 'SENT'), business: 'other' }],
      [callback('theirs', { business: 'other' })],
    );
    await Promise.all([...flood, theirs]);
    expect(await quarantinedIn(t.store, 'other')).toHaveLength(1);
    expect(await quarantinedIn(t.store)).toHaveLength(1);
  });

  test('a limit that was lowered is reached with the next body', async () => {
    await using t = await open({});
    const bodies = Array.from({ length: 300 }, (_, index) => callback(`body ${index}`));
    await t.store.record([], bodies);
    await t.reopen({ limits: { quarantineEntries: 5 } });
    await t.store.record([], [callback('new')]);
    expect(await quarantinedIn(t.store)).toHaveLength(5);
  });

  test('a body that says little takes little, and comes back as it was', async () => {
    await using t = await open({ limits: { quarantineBytes: mebibyte } });
    const bodies = Array.from({ length: 40 }, (_, index) => `${index}${'\u00e4\u0000'.repeat(65_536)}`);
    for (const raw of bodies) await t.store.record([], [callback(raw)]);
    const kept = await quarantinedIn(t.store);
    expect(kept).toHaveLength(40);
    const [oldest] = kept.slice(-1);
    expect((await t.store.findQuarantined(business, String(oldest?.id)))?.raw).toBe(bodies[0]);
  });

  test('a list has sizes and no bodies', async () => {
    await using t = await open({});
    await t.store.record([], [callback('a\u{1f600}')]);
    const [entry] = await quarantinedIn(t.store);
    expect(entry).not.toHaveProperty('raw');
    expect(entry?.rawLength).toBe(3);
  });

  test('what is deleted is gone, for its own business alone, and counted', async () => {
    await using t = await open({});
    for (const raw of ['1', '2', '3']) await t.store.record([], [callback(raw)]);
    await t.store.record([], [callback('1', { business: 'other' })]);
    expect(await t.store.deleteQuarantined(business, ['1', '1', '3', '4', '', 'x', '1e0'])).toBe(2);
    expect((await quarantinedIn(t.store)).map(({ id }) => id)).toEqual(['2']);
    expect(await quarantinedIn(t.store, 'other')).toHaveLength(1);
    await t.reopen();
    expect((await quarantinedIn(t.store)).map(({ id }) => id)).toEqual(['2']);
  });

  test('deleting rejects with STORE_UNAVAILABLE while the store is broken, and after it was closed', async () => {
    await using t = await open({});
    await t.store.record([], [callback('1')]);
    await t.breakDown();
    await timeToRefuse(t.store.deleteQuarantined(business, ['1']));
    await t.repair();
    await servesAgain(t.store);
    expect(await t.store.deleteQuarantined(business, ['1'])).toBe(1);
    await t.store[Symbol.asyncDispose]();
    await timeToRefuse(t.store.deleteQuarantined(business, ['1']));
  });
}

function callback(raw: string, more: Partial<QuarantinedCallback> = {}): QuarantinedCallback {
  return { business, raw, reason: 'no id', receivedAt: someTime, ...more };
}

/** So many bytes once it is compressed, and a few more. */
function incompressible(bytes: number): string {
  return randomBytes(bytes).toString('base64');
}

export function watchEvents() {
  const events: (readonly [StoreEvent, number])[] = [];
  const lines: object[] = [];
  const log = {
    info: () => undefined,
    warn: (details: object) => lines.push(details),
    error: () => undefined,
  };
  return { events, lines, log, onEvent: (event: StoreEvent, count: number) => events.push([event, count]) };
}
