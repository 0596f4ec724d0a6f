import type { DeliveryStatus, Message } from '../src/message.ts';
import type { OutgoingText } from '../src/outgoing-text.ts';
import type { Store } from '../src/store/port.ts';
import { type StoreServer, startStoreServer, storeKinds } from './store-servers.ts';
import { openBenchStore } from './stores.ts';

const defaultMessages = 1_000_000;
const messagesAtOnce = 500;
const lookups = 500;
const business = 'bench';
const someTime = Date.UTC(2026, 0, 1);
const statuses: readonly DeliveryStatus[] = ['SENT', 'DELIVERED', 'READ'];
/** Its send begun, it accepted, and three callbacks. */
const writesOfMessage = 5;

/**
 * What many messages take, each with its send and four events, and how long half of the lookups and lists take among them.
 * Checked: each lookup and list finds what it asks for. `SIZE_MESSAGES` is how many there are.
 */
export async function benchmarkStoreSize(): Promise<string> {
  const messages = Number(process.env['SIZE_MESSAGES'] ?? defaultMessages);
  const lines: string[] = [];
  for (const kind of storeKinds) {
    await using server = await startStoreServer(kind);
    await using store = await openBenchStore(server);
    lines.push(await measure(server, store, messages));
  }
  return `\n${messages.toLocaleString('en')} messages, each with its send and four events\n${header}\n${lines.join('\n')}\n`;
}

const header = row(['store', 'disk, bytes', 'WAL, bytes/write', 'writes/s', 'find p50 ms', 'list p50 ms']);

async function measure(server: StoreServer, store: Store, messages: number): Promise<string> {
  const walBefore = await server.walBytes();
  const diskBefore = await server.diskBytes();
  const began = performance.now();
  for (let first = 0; first < messages; first += messagesAtOnce)
    await Promise.all(Array.from({ length: messagesAtOnce }, (_, index) => add(store, first + index)));
  const seconds = (performance.now() - began) / 1_000;
  const wal = ((await server.walBytes()) - walBefore) / (messages * writesOfMessage);
  const disk = ((await server.diskBytes()) - diskBefore) / messages;
  const find = await half(() => expectFound(store, Math.trunc(Math.random() * messages)));
  const list = await half(() => expectListed(store, Math.trunc(Math.random() * clients)));
  const rate = Math.round((messages * writesOfMessage) / seconds).toLocaleString('en');
  const bytes = [disk, wal].map((value) => (Number.isNaN(value) ? '' : String(Math.round(value))));
  return row([server.kind, ...bytes, rate, find.toFixed(2), list.toFixed(2)]);
}

const clients = 5_000;

function textOf(index: number): OutgoingText {
  return {
    client: `client-${index % clients}`,
    clientPhone: `39300${String(index % clients).padStart(7, '0')}`,
    clientName: 'Jon Doe',
    textMessage: 'Good morning, your order is ready at the counter. '.repeat(3),
    delay: null,
  };
}

async function add(store: Store, index: number): Promise<void> {
  const at = someTime + index;
  const text = textOf(index);
  const idempotency = { key: `key-${index}`, fingerprint: `fingerprint-${index}`, validSince: 0 };
  const begun = await store.begin({ business, text, at, idempotency });
  if (begun.kind !== 'begun') throw new Error(`A send was ${begun.kind}.`);
  const details = { ...text, scheduledFor: null, acceptedAt: at };
  const accepted = eventOf('ACCEPTED', at);
  await store.accept(begun.attempt, { business, id: idOf(index), details, history: [accepted] });
  for (const status of statuses)
    await store.record([{ business, id: idOf(index), details: null, history: [eventOf(status, at)] }]);
}

function idOf(index: number): string {
  return `3EB0${String(index).padStart(16, '0')}`;
}

function eventOf(status: DeliveryStatus, at: number): Message['history'][number] {
  const rawStatus = status === 'ACCEPTED' ? null : status.toLowerCase();
  return { status, at, receivedAt: at, rawStatus, failure: null };
}

async function expectFound(store: Store, index: number): Promise<void> {
  const found = await store.find({ business, id: idOf(index) });
  if (found?.history.length !== 4) throw new Error('A message is not what it was.');
}

async function expectListed(store: Store, index: number): Promise<void> {
  const client = `client-${index}`;
  const { entries } = await store.list({ business, first: 20, client });
  if (!entries.every(({ message }) => message.details?.client === client) || entries.length === 0)
    throw new Error('A list is not of its client.');
}

/** How many milliseconds half of the calls take, one at a time. */
async function half(call: () => Promise<void>): Promise<number> {
  const taken: number[] = [];
  while (taken.length < lookups) {
    const began = performance.now();
    await call();
    taken.push(performance.now() - began);
  }
  return taken.toSorted((a, b) => a - b)[Math.trunc(lookups / 2)] ?? Number.NaN;
}

function row([name = '', ...cells]: readonly string[]): string {
  return `  ${name.padEnd(12)}${cells.map((cell) => cell.padStart(18)).join('')}`;
}
