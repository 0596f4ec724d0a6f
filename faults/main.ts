import { canMountDisks } from '../test/support/small-disk.ts';
import { describeReports } from './report.ts';
import type { Rig } from './rig/rig.ts';
import { type FaultReport, runFault } from './run-fault.ts';
import { fullScale } from './scale.ts';
import { postgresDiskSuite, postgresStandbySuite, postgresSuite, type Suite, sqliteSuite } from './suites.ts';

/**
 * `npm run faults`, or `npm run faults -- postgres "freeze PostgreSQL"` for one suite and one fault of it. It takes the
 * machine for itself, and fails on any violation.
 */
const [wantedSuite, wantedFault] = process.argv.slice(2);
let violations = 0;
/** All of it takes less on two cores. */
const limitMs = 20 * 60_000;
setTimeout(() => process.exit(1), limitMs).unref();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

async function run<R extends Rig>(name: string, suite: Suite<R>): Promise<void> {
  if (wantedSuite !== undefined && wantedSuite !== name) return;
  const faults = suite.faults.filter((fault) => wantedFault === undefined || fault.name === wantedFault);
  if (faults.length === 0)
    throw new Error(`${name} has ${suite.faults.map((fault) => fault.name).join(', ')}`);
  await using rig = await suite.start(fullScale.env);
  const reports: FaultReport[] = [];
  for (const fault of faults) {
    process.stderr.write(`${suite.name}: ${fault.name} ...\n`);
    const report = await runFault(fault, rig, fullScale);
    reports.push(report);
    violations += report.violations.length;
  }
  process.stdout.write(describeReports(suite.name, reports));
}

const suites = ['sqlite', 'postgres', 'disks', 'standby'];
if (wantedSuite !== undefined && !suites.includes(wantedSuite))
  throw new Error(`${wantedSuite}: no such suite; there are ${suites.join(', ')}`);
await run('sqlite', sqliteSuite);
await run('postgres', postgresSuite);
if (await canMountDisks()) await run('disks', postgresDiskSuite);
else process.stderr.write(`${postgresDiskSuite.name}: skipped, as no tmpfs can be mounted here\n`);
await run('standby', postgresStandbySuite);
if (violations > 0) process.exitCode = 1;
