import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Message } from '../src/message.ts';
import type { Store } from '../src/store/port.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import type { Figures, Report } from './figures.ts';

const defaultMessages = 1_000_000;
const messagesInCall = 5_000;
const rounds = 5;
const business = 'bench';
const someTime = Date.UTC(2026, 0, 1);

/**
 * What a large database costs: its start, the check in the background and the whole one that a start once did, and a
 * VACUUM. `START_MESSAGES` is how many messages it has.
 */
export async function benchmarkStart(): Promise<Report> {
  const messages = Number(process.env['START_MESSAGES'] ?? defaultMessages);
  const directory = await mkdtemp(join(tmpdir(), 'bench-start-'));
  try {
    const path = join(directory, 'gateway.db');
    await fill(path, messages);
    const mebibytes = (await stat(path)).size / 1_048_576;
    return {
      title: `Start of a SQLite database with ${messages.toLocaleString('en')} messages (${Math.round(mebibytes)} MiB)`,
      unit: 's',
      target: { atMost: 2 },
      gateway: { name: 'until it serves', values: await startTimes(path) },
      references: [await timed('PRAGMA quick_check', () => quickCheck(path))],
      besides: await maintenance(path, messages),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function fill(path: string, messages: number): Promise<void> {
  await using store = await openSqliteStore({ path, patienceMs: 60_000 });
  for (let first = 0; first < messages; first += messagesInCall) {
    const count = Math.min(messagesInCall, messages - first);
    await store.record(Array.from({ length: count }, (_, index) => messageOf(first + index)));
  }
}

function messageOf(index: number): Message {
  const details = {
    client: `client-${index % 5_000}`,
    clientPhone: `39300${String(index % 5_000).padStart(7, '0')}`,
    clientName: null,
    textMessage: 'Good morning, your order is ready at the counter. '.repeat(3),
    delay: null,
    scheduledFor: null,
    acceptedAt: someTime,
  };
  const at = someTime + index;
  const history = [{ status: 'ACCEPTED', at, receivedAt: at, rawStatus: null, failure: null } as const];
  return { business, id: `m${index}`, details, history };
}

async function startTimes(path: string): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await using store = await openSqliteStore({ path });
    await expectMessage(store);
    values.push((performance.now() - began) / 1_000);
  }
  return values;
}

async function expectMessage(store: Store): Promise<void> {
  const message = await store.find({ business, id: 'm1' });
  if (message?.details?.client !== 'client-1') throw new Error('The first message is not what it was.');
}

function quickCheck(path: string): void {
  using db = new DatabaseSync(path);
  if (db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok') throw new Error('It is damaged.');
}

async function maintenance(path: string, messages: number): Promise<Figures[]> {
  let rows = 0;
  const checked = Promise.withResolvers<void>();
  const onCheckedRange = (count: number) => {
    rows += count;
    if (rows >= messages) checked.resolve();
  };
  await using store = await openSqliteStore({ path, onCheckedRange });
  const background = await timed('the check in the background', () => checked.promise);
  const vacuum = await timed('a VACUUM, in which nothing is served', async () => store.vacuum?.());
  await expectMessage(store);
  return [background, vacuum];
}

async function timed(name: string, work: () => unknown): Promise<Figures> {
  const began = performance.now();
  await work();
  return { name, values: [(performance.now() - began) / 1_000] };
}
