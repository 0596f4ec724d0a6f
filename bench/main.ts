import { benchmarkCallbacks } from './callbacks.ts';
import { describeReport, type Report } from './figures.ts';
import { benchmarkMemory } from './memory.ts';
import { benchmarkMutations } from './mutations.ts';

/**
 * `npm run bench`, or `npm run bench -- callbacks memory mutations` for some of them. It fails where an answer is
 * wrong, not where a target is missed: that depends on the machine.
 */
const benchmarks: Readonly<Record<string, () => Promise<Report>>> = {
  callbacks: benchmarkCallbacks,
  memory: benchmarkMemory,
  mutations: benchmarkMutations,
};

const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(benchmarks)) {
  const benchmark = benchmarks[name];
  if (!benchmark)
    throw new Error(`${name}: no such benchmark; there are ${Object.keys(benchmarks).join(', ')}`);
  process.stdout.write(describeReport(await benchmark()));
}
