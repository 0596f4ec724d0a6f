import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { acceptedMessage } from '../src/accepted-message.ts';
import type { Message } from '../src/message.ts';
import type { Store } from '../src/store/port.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { createStoreClock } from '../src/store/sqlite-clock.ts';
import { openDatabase } from '../src/store/sqlite-opening.ts';
import { createOperations } from '../src/store/sqlite-operations.ts';
import { defaultStoreLimits } from '../src/store-limits.ts';
import type { Report } from './figures.ts';

const business = 'acme';
/** How many messages, with a send each, are of one client among how many. */
const cases = [
  { forgotten: 10_000, others: 90_000 },
  { forgotten: 100_000, others: 400_000 },
];
/** Callbacks of other clients' messages come all the while. */
const callbacksPerSecond = 200;
const usualMs = 5_000;

/** What a client's erasure costs the callbacks beside it. Checked: it erases all that the client has, and no more. */
export async function benchmarkForget(): Promise<Report[]> {
  const reports: Report[] = [];
  for (const each of cases) reports.push(await runCase(each));
  return reports;
}

async function runCase({ forgotten, others }: (typeof cases)[number]): Promise<Report> {
  const directory = await mkdtemp(join(tmpdir(), 'forget-'));
  try {
    const path = join(directory, 'gateway.db');
    fill(path, forgotten, others);
    await using store = await openSqliteStore({ path });
    const usual = await timeCallbacks(store, others, delay(usualMs));
    const began = performance.now();
    const erasing = erase(store, forgotten);
    const beside = await timeCallbacks(store, others, erasing);
    const seconds = (performance.now() - began) / 1_000;
    return {
      title: `A client with ${forgotten.toLocaleString('en')} messages among ${(forgotten + others).toLocaleString('en')} is forgotten, beside ${callbacksPerSecond} callbacks a second`,
      unit: 'ms',
      target: { timesFirstReference: 2 },
      gateway: { name: 'a callback beside it', values: beside },
      references: [{ name: 'a callback, usually', values: usual }],
      besides: [{ name: 'for each 1,000 messages forgotten', values: [(seconds * 1e6) / forgotten] }],
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function fill(path: string, forgotten: number, others: number): void {
  using db = openDatabase(path);
  const { begin, accept } = createOperations(db, defaultStoreLimits, createStoreClock(db));
  const total = forgotten + others;
  let left = forgotten;
  let other = 0;
  db.exec('BEGIN');
  for (let index = 0; index < total; index += 1) {
    if (index % 10_000 === 0) db.exec('COMMIT; BEGIN');
    const isForgotten = randomInt(total - index) < left;
    if (isForgotten) left -= 1;
    const client = isForgotten ? 'forgotten' : `client-${other % 10_000}`;
    const id = isForgotten ? `forgotten-${index}` : `other-${other++}`;
    const text = {
      client,
      clientPhone: null,
      clientName: 'Jon Doe',
      textMessage: 'Good morning',
      delay: null,
    };
    const begun = begin({ business, text, at: index, idempotency: null });
    if (begun.kind === 'begun') accept(begun.attempt, acceptedMessage({ business, id }, text, index));
  }
  db.exec('COMMIT');
}

async function erase(store: Store, expected: number): Promise<void> {
  const { messages, sends } = await store.forget({ business, client: 'forgotten', clientPhone: null });
  if (messages !== expected || sends !== expected)
    throw new Error(`${messages} messages and ${sends} sends were erased, not ${expected}`);
}

/** How many milliseconds each callback takes that is recorded until `end`. */
async function timeCallbacks(store: Store, others: number, end: Promise<unknown>): Promise<number[]> {
  const ended = new AbortController();
  const ending = end.finally(() => ended.abort());
  const taken: number[] = [];
  const running: Promise<void>[] = [];
  while (!ended.signal.aborted) {
    running.push(timeCallback(store, others, taken));
    await delay(1_000 / callbacksPerSecond);
  }
  await Promise.all(running);
  await ending;
  return taken;
}

async function timeCallback(store: Store, others: number, taken: number[]): Promise<void> {
  const began = performance.now();
  await store.record([callback(`other-${randomInt(others)}`)]);
  taken.push(performance.now() - began);
}

function callback(id: string): Message {
  const at = Date.now();
  const event = { status: 'DELIVERED', at, receivedAt: at, rawStatus: 'delivered', failure: null } as const;
  return { business, id, details: null, history: [event] };
}
