import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DeliveryStatus, type Message, revisionOf, statusOf } from '../../src/message.ts';
import type { Store } from '../../src/store/port.ts';
import {
  describeWithOwnPostgres,
  startAnyPostgres,
  startPostgresServer,
  type TestDatabase,
} from '../support/postgres-server.ts';
import { collect, increases, watchKnown } from './contract/test-store.ts';
import { openNodes } from './postgres-test-nodes.ts';
import { accepted, beginSend, business, keyedSend, news, someTime } from './samples.ts';

let server: Awaited<ReturnType<typeof startAnyPostgres>>;
beforeAll(async () => {
  server = await startAnyPostgres();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);
const record = (store: Store, all: readonly string[], status: DeliveryStatus) =>
  store.record(all.map((id) => news(id, status)));
const watchAll = (store: Store, all: readonly string[]) =>
  Promise.all(all.map((id) => watchKnown(store, id)));
const ended = { done: true, value: undefined };

/** What each yields from now on, which its first state is not part of. */
async function skipFirst(states: readonly AsyncIterableIterator<Message, undefined>[]): Promise<void> {
  await Promise.all(states.map((each) => each.next()));
}

test('of fifty begins at once with one key over three nodes, one is begun', async () => {
  await using nodes = await openNodes(await server.createDatabase(), 3);
  for (let round = 0; round < 5; round += 1) {
    const calls = Array.from({ length: 50 }, (_, index) => nodes.at(index % 3).begin(keyedSend(`k${round}`)));
    const kinds = (await Promise.all(calls)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'begun')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'running')).toHaveLength(49);
  }
});

test('a send that one node began is settled by another, and told again by a third', async () => {
  await using nodes = await openNodes(await server.createDatabase(), 3);
  const attempt = await beginSend(nodes.at(0), keyedSend('k'));
  const message = await nodes.at(1).accept(attempt, accepted('m1'));
  expect(await nodes.at(2).begin(keyedSend('k'))).toEqual({ kind: 'accepted', message });
});

test('what three nodes write, the watches of each see: none goes back, none misses the last state', async () => {
  await using nodes = await openNodes(await server.createDatabase(), 3);
  const all = ids(200);
  await record(nodes.at(0), all, 'ACCEPTED');
  const watches = all.flatMap((id) => [0, 1, 2].map((node) => watchKnown(nodes.at(node), id).then(collect)));
  const statuses = ['SENT', 'FAILED', 'DELIVERED', 'READ'] as const;
  await Promise.all(
    all.map(async (id, index) => {
      for (const [step, status] of statuses.entries())
        await nodes.at((index + step) % 3).record([news(id, status)]);
    }),
  );
  for (const states of await Promise.all(watches)) {
    expect(states.map(revisionOf)).toSatisfy(increases);
    expect(states.map(statusOf).at(-1)).toBe('READ');
  }
});

test('wake-ups alone bring each state from one node to another', async () => {
  await using nodes = await openNodes(await server.createDatabase(), 2, { pollMs: 3_600_000 });
  const all = ids(50);
  await record(nodes.at(0), all, 'SENT');
  const states = await watchAll(nodes.at(1), all);
  await skipFirst(states);
  for (const [index, each] of states.entries()) {
    await record(nodes.at(0), [all[index] ?? ''], 'READ');
    await each.next();
  }
});

test('what one node forgets and prunes, watches of another see end', async () => {
  await using nodes = await openNodes(await server.createDatabase(), 2);
  await nodes.at(0).record([accepted('forgotten'), news('pruned', 'SENT', someTime - 1)]);
  const states = await watchAll(nodes.at(1), ['forgotten', 'pruned']);
  await skipFirst(states);
  const ends = states.map((each) => each.next());
  await nodes.at(0).forget({ business, client: 'jon', clientPhone: null });
  await nodes.at(0).prune(someTime);
  expect(await Promise.all(ends)).toEqual([ended, ended]);
  expect(nodes.at(1).watching).toBe(0);
});

test('ids of any characters wake the watches of another node', async () => {
  await using nodes = await openNodes(await server.createDatabase(), 2);
  const strange = ['\0', '\ud800', 'é😀', '"\\', ' ', 'x'.repeat(2_000), '\u0001\u0002\ue000'];
  await record(nodes.at(0), strange, 'SENT');
  const states = await watchAll(nodes.at(1), strange);
  await skipFirst(states);
  await record(nodes.at(0), strange, 'READ');
  const seen = await Promise.all(states.map((each) => collect(each)));
  expect(seen.flat().map(({ id }) => id)).toEqual(strange);
});

test('lists are the same on every node, and cursors of one are good on another', async () => {
  await using nodes = await openNodes(await server.createDatabase(), 2);
  const all = ids(30);
  for (const [index, id] of all.entries()) await nodes.at(index % 2).record([news(id, 'SENT')]);
  const seen: string[] = [];
  for (let after: string | undefined, page = 0; ; page += 1) {
    const { entries, hasMore } = await nodes.at(page % 2).list({ business, first: 7, after });
    seen.push(...entries.map(({ message }) => message.id));
    after = entries.at(-1)?.cursor;
    if (!hasMore) break;
  }
  expect(seen).toEqual(all.toReversed());
});

/** As if each was lost on its way. */
async function loseNotifications(database: TestDatabase): Promise<void> {
  await database.query(
    `create schema quiet;
     create function quiet.pg_notify(text, text) returns void language plpgsql as 'begin end';
     alter database ${database.name} set search_path = quiet, pg_catalog, public`,
  );
}

/** Few are looked up, and of many the changes are read in their order, more than a page of them. */
describe.each([3, 2_500])('if every notification is lost, of %d watched messages', (count) => {
  test('each gets its next state', async () => {
    const database = await server.createDatabase();
    await loseNotifications(database);
    await using nodes = await openNodes(database, 2);
    const all = ids(count);
    await record(nodes.at(0), all, 'ACCEPTED');
    const states = await watchAll(nodes.at(1), all);
    await skipFirst(states);
    for (const status of ['SENT', 'READ'] as const) {
      await record(nodes.at(0), all, status);
      const next = await Promise.all(states.map((each) => each.next()));
      expect(next.map(({ value }) => value && statusOf(value))).toEqual(all.map(() => status));
    }
    expect(nodes.at(1).watching).toBe(0);
  });

  test('one that is deleted ends its watches, and the others go on', async () => {
    const database = await server.createDatabase();
    await loseNotifications(database);
    await using nodes = await openNodes(database, 2);
    const all = ids(count);
    await record(nodes.at(0), all, 'ACCEPTED');
    await nodes.at(0).record([accepted('m1')]);
    const states = await watchAll(nodes.at(1), all);
    await skipFirst(states);
    await nodes.at(0).forget({ business, client: 'jon', clientPhone: null });
    expect(await states[1]?.next()).toEqual(ended);
    await record(nodes.at(0), ['m2'], 'SENT');
    expect(await states[2]?.next()).toMatchObject({ value: { id: 'm2' } });
    expect(nodes.at(1).watching).toBe(count - 1);
  });

  test('one that is deleted and comes back ends its watches, and later ones see the new one', async () => {
    const database = await server.createDatabase();
    await loseNotifications(database);
    await using nodes = await openNodes(database, 2);
    const all = ids(count);
    await record(nodes.at(0), all, 'ACCEPTED');
    await nodes.at(0).record([accepted('m1')]);
    const states = await watchAll(nodes.at(1), all);
    await skipFirst(states);
    await nodes.at(0).forget({ business, client: 'jon', clientPhone: null });
    await nodes.at(0).record([news('m1', 'SENT'), news('m1', 'DELIVERED')]);
    expect(await states[1]?.next()).toEqual(ended);
    const later = await watchKnown(nodes.at(1), 'm1');
    await record(nodes.at(0), ['m1'], 'READ');
    expect((await collect(later)).map(statusOf).at(-1)).toBe('READ');
  });
});

test('while sessions are cut again and again, listeners included, watches get the last state', async () => {
  const database = await server.createDatabase();
  await using nodes = await openNodes(database, 2);
  const all = ids(100);
  await record(nodes.at(0), all, 'ACCEPTED');
  const watches = (await watchAll(nodes.at(1), all)).map((each) => collect(each));
  for (const status of ['SENT', 'DELIVERED', 'READ'] as const) {
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await expect
      .poll(() =>
        record(nodes.at(0), all, status).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  }
  for (const states of await Promise.all(watches)) {
    expect(states.map(revisionOf)).toSatisfy(increases);
    expect(states.map(statusOf).at(-1)).toBe('READ');
  }
});

describeWithOwnPostgres('a server that is killed and started', () => {
  test('ten thousand watched messages all get the next state', { timeout: 120_000 }, async () => {
    await using own = await startPostgresServer();
    await using nodes = await openNodes(own, 2);
    const all = ids(10_000);
    await record(nodes.at(0), all, 'ACCEPTED');
    const states = await watchAll(nodes.at(1), all);
    await skipFirst(states);
    const next = states.map((each) => each.next());
    await own.restart();
    await expect
      .poll(
        () =>
          record(nodes.at(0), all, 'SENT').then(
            () => true,
            () => false,
          ),
        { timeout: 60_000 },
      )
      .toBe(true);
    const seen = await Promise.all(next);
    expect(seen.every(({ value }) => value && statusOf(value) === 'SENT')).toBe(true);
    expect(nodes.at(1).watching).toBe(all.length);
  });
});
