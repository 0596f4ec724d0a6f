import { benchmarkBroadcast } from './broadcast.ts';
import { benchmarkCallbacks } from './callbacks.ts';
import { benchmarkEverything } from './everything.ts';
import { describeReport, type Report } from './figures.ts';
import { benchmarkForget } from './forget.ts';
import { benchmarkLongReader } from './long-reader.ts';
import { benchmarkMemory } from './memory.ts';
import { benchmarkMutations } from './mutations.ts';
import { benchmarkNodes } from './nodes.ts';
import { benchmarkOutage } from './outage.ts';
import { benchmarkPostgresMemory } from './postgres-memory.ts';
import { benchmarkStart } from './start.ts';
import { benchmarkStoreSize } from './store-size.ts';
import { benchmarkStores } from './stores.ts';

/**
 * `npm run bench`, or `npm run bench -- callbacks memory mutations` for some of them. It fails where an answer is
 * wrong, not where a target is missed: that depends on the machine.
 */
const benchmarks: Readonly<Record<string, () => Promise<string>>> = {
  callbacks: reporting(benchmarkCallbacks),
  broadcast: reporting(benchmarkBroadcast),
  memory: reporting(benchmarkMemory),
  mutations: reporting(benchmarkMutations),
  everything: async () => (await benchmarkEverything()).map(describeReport).join(''),
  nodes: async () => (await benchmarkNodes()).map(describeReport).join(''),
  forget: async () => (await benchmarkForget()).map(describeReport).join(''),
  'postgres-memory': reporting(benchmarkPostgresMemory),
  stores: benchmarkStores,
  'store-size': benchmarkStoreSize,
  'long-reader': reporting(benchmarkLongReader),
  outage: benchmarkOutage,
  start: reporting(benchmarkStart),
};

/** They take minutes, so they run only where they are named. */
const long = new Set(['outage', 'start', 'store-size', 'long-reader']);

function reporting(benchmark: () => Promise<Report>): () => Promise<string> {
  return async () => describeReport(await benchmark());
}

const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(benchmarks).filter((each) => !long.has(each))) {
  const benchmark = benchmarks[name];
  if (!benchmark)
    throw new Error(`${name}: no such benchmark; there are ${Object.keys(benchmarks).join(', ')}`);
  process.stdout.write(await benchmark().catch(complain));
}

/** A server that ended makes what was being disposed of fail as well, and Node shows that only. */
function complain(error: unknown): never {
  if (!(error instanceof SuppressedError)) throw error;
  process.stderr.write(`${error.error}\n`);
  return complain(error.suppressed);
}
