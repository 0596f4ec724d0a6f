import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import type { DeliveryStatus, Message } from '../src/message.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store } from '../src/store/port.ts';
import { defaultStoreLimits } from '../src/store-limits.ts';
import { storeVariables, toBackend } from '../src/store-variables.ts';
import { type StoreServer, startStoreServer, storeKinds } from './store-servers.ts';

const business = 'bench';
const messages = 20_000;
const msEach = 4_000;
const inFlight = [1, 8, 64];
const statuses: readonly DeliveryStatus[] = ['SENT', 'DELIVERED', 'READ'];

/**
 * Merges a second into known messages by so many callers at once, each of them durable: CPU of this process and of the
 * server for each, and how long half of them take. Checked: the messages have what was merged. On each store, one after
 * the other; this process, the server and what else runs share the machine.
 */
export async function benchmarkStores(): Promise<string> {
  const lines: string[] = [];
  for (const kind of storeKinds) {
    await using server = await startStoreServer(kind);
    await using store = await openBenchStore(server);
    await fill(store);
    for (const callers of inFlight) lines.push(await measure(server, store, callers));
  }
  return `\nMerges into ${messages.toLocaleString('en')} known messages, each of them durable\n${header}\n${lines.join('\n')}\n`;
}

/** The store as a node opens it. */
export function openBenchStore({ url }: Pick<StoreServer, 'url'>): Promise<Store> {
  const backend = toBackend(z.object(storeVariables).parse({ STORE_URL: url }));
  const nothing = () => undefined;
  return openStore(backend, {
    log: { info: nothing, warn: nothing, error: (_, text) => process.stderr.write(`${text}\n`) },
    onBatch: nothing,
    onPush: nothing,
    onEvent: nothing,
    limits: { ...defaultStoreLimits, callbackOnlyMessages: 1_000_000_000 },
  });
}

const header = row(['store', 'in flight', '/s', 'µs CPU, node', 'µs CPU, server', 'p50 ms', 'p99 ms']);

async function fill(store: Store): Promise<void> {
  const batch = 2_000;
  for (let first = 0; first < messages; first += batch)
    await store.record(Array.from({ length: batch }, (_, index) => newsOf(first + index, 'ACCEPTED', 0)));
}

let merges = 0;

/** Each merge changes its message: an event of the same status that happened earlier takes the place of the one before. */
function newsOf(index: number, status: DeliveryStatus, age: number): Message {
  const at = Date.UTC(2026, 0, 1) - age;
  return {
    business,
    id: `m${index}`,
    details: null,
    history: [{ status, at, receivedAt: at, rawStatus: status.toLowerCase(), failure: null }],
  };
}

async function measure(server: StoreServer, store: Store, callers: number): Promise<string> {
  const taken: number[] = [];
  const until = performance.now() + msEach;
  const before = { cpu: process.cpuUsage(), server: server.cpuMs(), at: performance.now() };
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) {
        merges += 1;
        const began = performance.now();
        const status = statuses[Math.trunc(merges / messages) % statuses.length] ?? 'SENT';
        await store.record([newsOf(merges % messages, status, merges)]);
        taken.push(performance.now() - began);
      }
    }),
  );
  const seconds = (performance.now() - before.at) / 1_000;
  const { user, system } = process.cpuUsage(before.cpu);
  const serverUs = (server.cpuMs() - before.server) * 1_000;
  await expectMerged(store);
  const sorted = taken.toSorted((a, b) => a - b);
  const percentile = (part: number) => (sorted[Math.trunc(sorted.length * part)] ?? Number.NaN).toFixed(2);
  return row([
    server.kind,
    String(callers),
    Math.round(taken.length / seconds).toLocaleString('en'),
    String(Math.round((user + system) / taken.length)),
    String(Math.round(serverUs / taken.length)),
    percentile(0.5),
    percentile(0.99),
  ]);
}

async function expectMerged(store: Store): Promise<void> {
  const found = await store.find({ business, id: `m${merges % messages}` });
  if (!found?.history.some(({ at }) => at === Date.UTC(2026, 0, 1) - merges))
    throw new Error('The last merge is not there.');
}

function row([name = '', ...cells]: readonly string[]): string {
  return `  ${name.padEnd(12)}${cells.map((cell) => cell.padStart(16)).join('')}`;
}
