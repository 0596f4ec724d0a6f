import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Message } from '../src/message.ts';
import type { Store } from '../src/store/port.ts';
import type { Report } from './figures.ts';
import { startStoreServer } from './store-servers.ts';
import { openBenchStore } from './stores.ts';

const businesses = 4;
const messages = 20_000;
const callers = 64;
/** How long somebody reads, and how long a rate is measured over. */
const readerSeconds = Number(process.env['LONG_READER_SECONDS'] ?? 60);
const sampleMs = 2_500;

/**
 * Merges a second beside a transaction that reads for a minute, such as a backup's: nothing that is written over meanwhile
 * can be vacuumed. Checked: the last merge is there.
 */
export async function benchmarkLongReader(): Promise<Report> {
  await using server = await startStoreServer('PostgreSQL');
  await using store = await openBenchStore(server);
  for (let first = 0; first < messages; first += 2_000)
    await store.record(Array.from({ length: 2_000 }, (_, index) => newsOf(first + index)));
  const usual = await rates(store, 4 * sampleMs);
  const reader = new Client({ connectionString: server.url });
  await reader.connect();
  try {
    await reader.query('begin isolation level repeatable read; select count(*) from pingup_gateway.message');
    const beside = await rates(store, readerSeconds * 1_000);
    const { rows } = await reader.query(
      `select sum(n_dead_tup)::float8 as dead from pg_stat_user_tables where schemaname = 'pingup_gateway'`,
    );
    return {
      title: `Merges beside a transaction that reads for ${readerSeconds} s, ${callers} in flight`,
      unit: '/s',
      target: { ofFirstReference: 0.8 },
      gateway: { name: 'at its end', values: beside.slice(-4) },
      references: [{ name: 'before it', values: usual }],
      besides: [
        { name: 'at its beginning', values: beside.slice(0, 4) },
        { name: 'dead rows at its end (rows)', values: [Number(rows[0]?.dead)] },
      ],
    };
  } finally {
    await reader.end();
  }
}

let merges = 0;

function newsOf(index: number): Message {
  const at = Date.UTC(2026, 0, 1) - merges;
  const event = { status: 'SENT', at, receivedAt: at, rawStatus: 'sent', failure: null } as const;
  return { business: `b${index % businesses}`, id: `m${index % messages}`, details: null, history: [event] };
}

/** Merges a second, one figure for each `sampleMs`. */
async function rates(store: Store, forMs: number): Promise<number[]> {
  const ended = new AbortController();
  let done = 0;
  const working = Promise.all(
    Array.from({ length: callers }, async () => {
      while (!ended.signal.aborted) {
        merges += 1;
        await store.record([newsOf(merges)]);
        done += 1;
      }
    }),
  );
  const samples: number[] = [];
  const began = performance.now();
  while (performance.now() - began < forMs) {
    const [before, at] = [done, performance.now()];
    await Promise.race([delay(sampleMs), working]);
    samples.push(((done - before) * 1_000) / (performance.now() - at));
  }
  ended.abort();
  await working;
  const news = newsOf(merges);
  const found = await store.find({ business: news.business, id: news.id });
  if (found?.history[0]?.at !== news.history[0]?.at) throw new Error('The last merge is not there.');
  return samples;
}
