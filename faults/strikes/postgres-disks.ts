import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import type { PostgresDiskRig } from '../rig/postgres-disk-rig.ts';
import { seconds, servesAgain } from './serves-again.ts';
import { until } from './until.ts';

/** No table can grow. */
export const fillDataDisk: Fault<PostgresDiskRig> = {
  name: "fill the data's disk",
  promise: 'what cannot be kept is refused, and it goes on by itself once there is room',
  costs: ['refusals', 'unknown sends'],
  async strike(scene) {
    const { rig, scale, outage, outcomes } = scene;
    const before = outcomes.callbacks.refused;
    await outage(async () => {
      await rig.data.fill();
      await until('something is refused', async () => outcomes.callbacks.refused > before);
      await delay(scale.awayMs / 4);
      await rig.data.free();
    });
    const waitedMs = await servesAgain(scene);
    return `full for ${seconds(scale.awayMs / 4)} from the first refusal on; served again after ${seconds(waitedMs)}`;
  },
};

/** PostgreSQL cannot write its WAL, and ends. */
export const fillWalDisk: Fault<PostgresDiskRig> = {
  name: "fill the WAL's disk",
  promise: 'nothing acknowledged is lost, and it goes on once PostgreSQL was started again',
  costs: ['refusals', 'unknown sends'],
  async strike(scene) {
    const { rig, scale, outage } = scene;
    await outage(async () => {
      await until('PostgreSQL has ended', async () => {
        await rig.wal.fill();
        // It needs files that it does not have sooner than by waiting.
        await rig.postgres.query('select pg_switch_wal()').catch(() => undefined);
        return !rig.postgres.isRunning;
      });
      await delay(scale.awayMs / 4);
      await rig.wal.free();
      await rig.postgres.restart();
    });
    const waitedMs = await servesAgain(scene);
    return `PostgreSQL ended by itself, and was started again; served again after ${seconds(waitedMs)}`;
  },
};
