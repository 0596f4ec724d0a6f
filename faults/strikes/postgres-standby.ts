import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { countSessions } from '../rig/postgres-database.ts';
import type { PostgresStandbyRig } from '../rig/postgres-standby-rig.ts';
import { seconds, servesAgain } from './serves-again.ts';

/** The primary is gone without a word, and its standby takes its place; later it comes back, alone. */
export const failOverPostgres: Fault<PostgresStandbyRig> = {
  name: 'kill -9 the primary, promote its standby',
  promise: 'the new one has all that was acknowledged, the old one is left alone, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike(scene) {
    const { rig, scale, outage, allRight } = scene;
    await outage(async () => {
      await rig.primary.kill();
      await delay(scale.awayMs / 4);
      await rig.standby.promote();
    });
    const waitedMs = await servesAgain(scene);
    await allRight();
    await rig.primary.restart();
    await delay(scale.undisturbedMs);
    await allRight();
    await requireOnlyWatched(rig);
    await rig.replacePrimary();
    return `without a primary for ${seconds(scale.awayMs / 4)}; served ${seconds(waitedMs)} after the promotion`;
  },
};

/** The standby takes the place of a primary that is well. */
export const promoteStandby: Fault<PostgresStandbyRig> = {
  name: 'promote the standby on purpose',
  promise: 'the new one has all that was acknowledged, the old one is left at once, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike(scene) {
    const { rig, outage, allRight } = scene;
    await outage(() => rig.standby.promote());
    const waitedMs = await servesAgain(scene);
    await allRight();
    await rig.replacePrimary();
    return `served ${seconds(waitedMs)} after the promotion`;
  },
};

/** No commit ends, as the only server that it waits for stands still, and is gone then. */
export const loseStandby: Fault<PostgresStandbyRig> = {
  name: 'freeze and kill the only standby',
  promise: 'every callback is answered, and the nodes have no more sessions than they may',
  costs: ['refusals', 'unknown sends'],
  async strike(scene) {
    const { rig, scale, outage } = scene;
    const sessions = await outage(async () => {
      rig.standby.freeze();
      const frozen = await mostSessions(rig, scale.standbyAwayMs / 2);
      await rig.standby.kill();
      const killed = await mostSessions(rig, scale.standbyAwayMs / 2);
      await rig.standby.restart();
      return Math.max(frozen, killed);
    });
    const waitedMs = await servesAgain(scene);
    return `away for ${seconds(scale.standbyAwayMs)}, with ${sessions} sessions at most; served again after ${seconds(waitedMs)}`;
  },
};

/** @throws Error where a node does more at the old primary than to look at it. */
async function requireOnlyWatched({ primary, nodes }: PostgresStandbyRig): Promise<void> {
  const sessions = await countSessions(primary);
  if (sessions > nodes.urls().length)
    throw new Error(`the nodes have ${sessions} sessions at the old primary`);
}

/** As `STORE_CONNECTIONS` has it by default. */
const sessionsOfNode = 6;
const pollMs = 100;

/** Counts for so many milliseconds. @throws Error where there are more than there may be. */
async function mostSessions({ primary, nodes }: PostgresStandbyRig, milliseconds: number): Promise<number> {
  const limit = nodes.urls().length * sessionsOfNode;
  const end = performance.now() + milliseconds;
  let most = 0;
  while (performance.now() < end) {
    most = Math.max(most, await countSessions(primary));
    if (most > limit) throw new Error(`the nodes have ${most} sessions, and may have ${limit}`);
    await delay(pollMs);
  }
  return most;
}
