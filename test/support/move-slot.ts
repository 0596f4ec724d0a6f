import type { ClusterNode, RedisCluster } from './redis-cluster.ts';

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
}
