import { askUntil } from '../../src/ask-until.ts';
import type { ClusterNode, RedisCluster } from './redis-cluster.ts';

const agreementMs = 10_000;

/** Moves a slot with all its keys from one primary to another, a few keys at a time, as `redis-cli --cluster reshard` does. */
export async function moveSlot(
  cluster: RedisCluster,
  slot: number,
  from: ClusterNode,
  to: ClusterNode,
): Promise<void> {
  const setSlot = (node: ClusterNode, ...args: readonly string[]) =>
    node.command('CLUSTER', 'SETSLOT', String(slot), ...args);
  await setSlot(to, 'IMPORTING', from.id);
  await setSlot(from, 'MIGRATING', to.id);
  for (;;) {
    const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', String(slot), '10')) as readonly string[];
    if (keys.length === 0) break;
    await from.command('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
  }
  const others = (await cluster.primaries()).filter((node) => node !== from && node !== to);
  for (const node of [to, from, ...others]) await setSlot(node, 'NODE', to.id);
  // A slot that moves on before all agree can be taken back by what one of them still says of it.
  const owners = () => Promise.all([to, from, ...others].map((node) => ownerOf(slot, node)));
  const agree = (ids: readonly unknown[]) => ids.every((id) => id === to.id);
  if (!agree(await askUntil(owners, agree, agreementMs))) throw new Error(`slot ${slot} did not move`);
}

type Range = readonly [
  first: number,
  last: number,
  primary: readonly [host: string, port: number, id: string],
];

/** Whose a slot is, by what one node knows. */
async function ownerOf(slot: number, node: ClusterNode): Promise<string | undefined> {
  const ranges = (await node.command('CLUSTER', 'SLOTS')) as readonly Range[];
  return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][2];
}
