/**
 * All data is divided over a fixed number of partitions, each in one slot of Redis Cluster, so that what belongs
 * together is written in one step. This is part of the format of the keys: no release may change it.
 */
export const partitionCount = 64;

const slots = 16_384;
const slotsOfPartition = slots / partitionCount;

/** How far the slot of a partition may be from the middle of its equal share of all slots. */
const tolerance = 16;

/**
 * The hash tag of each partition: the smallest number whose slot is about the middle of the partition's equal share of
 * all slots. So primaries with equal shares of the slots have equal shares of the partitions, give or take one.
 */
export const tags: readonly string[] = findTags();

/** The slot of each partition. */
export const slotsOfTags: readonly number[] = tags.map(slotOf);

/** The partition of a text: FNV-1a over its UTF-16 code units, folded. */
export function partitionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return ((hash >>> 16) ^ hash) & (partitionCount - 1);
}

function findTags(): string[] {
  const found = new Map<number, string>();
  for (let number = 0; found.size < partitionCount; number += 1) {
    const slot = slotOf(String(number));
    const partition = Math.floor(slot / slotsOfPartition);
    const isInTheMiddle = Math.abs(slot - (partition + 0.5) * slotsOfPartition) <= tolerance;
    if (isInTheMiddle && !found.has(partition)) found.set(partition, String(number));
  }
  return Array.from({ length: partitionCount }, (_, partition) => found.get(partition) ?? '');
}

/** CRC16 (XMODEM) modulo the slots, as Redis Cluster's specification has it. For ASCII only. */
function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc % slots;
}
