/**
 * Faults in mid-load, as `npm run faults` has them at full scale. It needs the built gateway (`npm run build`), and for
 * the full disks the right to mount.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Rig } from '../faults/rig/rig.ts';
import { runFault } from '../faults/run-fault.ts';
import { smallScale } from '../faults/scale.ts';
import {
  postgresDiskSuite,
  postgresStandbySuite,
  postgresSuite,
  type Suite,
  sqliteSuite,
} from '../faults/suites.ts';
import { describeWithOwnPostgres } from './support/postgres-server.ts';
import { canMountDisks } from './support/small-disk.ts';

const limitMs = 90_000;

const mounts = await canMountDisks();

describeWithOwnPostgres('on PostgreSQL', () => {
  survives(postgresSuite);
  if (mounts) survives(postgresDiskSuite);
  else describe.skip('no tmpfs can be mounted here', () => survives(postgresDiskSuite));
  survives(postgresStandbySuite);
});
describe('without it', () => survives(sqliteSuite));

/** No subscriber sees a step back or a duplicate, all end at the right state, and nothing acknowledged is missing. */
function survives<R extends Rig>({ name, start, faults }: Suite<R>): void {
  describe(`${name}: no step back, no duplicate, every last state right, nothing acknowledged lost`, () => {
    const rig = new AsyncDisposableStack();
    let started: R;
    beforeAll(async () => {
      started = rig.use(await start(smallScale.env));
    }, limitMs);
    afterAll(() => rig.disposeAsync());

    for (const fault of faults)
      test(`${fault.name}: ${fault.promise}`, { timeout: limitMs }, async () => {
        const { violations, outcomes } = await runFault(fault, started, smallScale);
        expect(violations).toEqual([]);
        expect(outcomes.callbacks.answered).toBeGreaterThan(smallScale.subscribers);
      });
  });
}
