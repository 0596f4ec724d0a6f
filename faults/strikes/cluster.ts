import { slotsOfTags } from '../../src/store/redis-partitions.ts';
import { moveSlot } from '../../test/support/move-slot.ts';
import type { ClusterNode } from '../../test/support/redis-cluster.ts';
import type { Fault } from '../fault.ts';
import type { ClusterRig } from '../rig/cluster-rig.ts';
import { until } from './until.ts';

/** A primary is gone without a word, its replica takes its place, and it comes back as a replica. */
export const failOver: Fault<ClusterRig> = {
  name: 'fail a primary over',
  promise: 'the new one has all that was acknowledged, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, outage }) {
    const { cluster } = rig;
    const [primary] = await cluster.primaries();
    if (!primary) throw new Error('the cluster has no primary');
    const begun = performance.now();
    const promotedMs = await outage(async () => {
      await primary.kill();
      await until('its replica is a primary', async () => (await cluster.primaries()).length === 3);
      const took = performance.now() - begun;
      await primary.restart();
      await until('it is a replica that has all', () => isReplica(primary));
      return took;
    });
    return `killed; its replica was a primary after ${(promotedMs / 1000).toFixed(1)} s`;
  },
};

/** Half of what one primary has moves to another, key by key, and then back. */
export const moveSlots: Fault<ClusterRig> = {
  name: 'move slots',
  promise: 'subscribers follow them, and sockets stay open',
  costs: ['refusals', 'unknown sends'],
  async strike({ rig, allRight }) {
    const [from, to] = await rig.cluster.primaries();
    if (!from || !to) throw new Error('the cluster has no two primaries');
    const slots = (await slotsWithKeys(from)).filter((_, index) => index % 2 === 0);
    if (slots.length === 0) throw new Error('there is nothing to move');
    for (const slot of slots) await moveSlot(rig.cluster, slot, from, to);
    await allRight();
    for (const slot of slots) await moveSlot(rig.cluster, slot, to, from);
    return `${slots.length} of ${slotsOfTags.length} slots with data moved, and moved back`;
  },
};

async function slotsWithKeys(node: ClusterNode): Promise<number[]> {
  const count = (slot: number) => node.command('CLUSTER', 'COUNTKEYSINSLOT', String(slot));
  const counts = await Promise.all(slotsOfTags.map(count));
  return slotsOfTags.filter((_, index) => Number(counts[index]) > 0);
}

async function isReplica(node: ClusterNode): Promise<boolean> {
  const info = String(await node.command('INFO', 'replication'));
  return info.includes('role:slave') && info.includes('master_link_status:up');
}
