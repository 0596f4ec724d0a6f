import type { MessageKey } from '../message.ts';
import { partitionOf, tags } from './redis-partitions.ts';

/**
 * The names of all keys. The number after `pingup` is the version of the format: a release that must break it takes the
 * next one. In a partition `p`, `{p}` being its hash tag:
 *
 * - `pingup:1:{p}:m:<business>/<id>` a message, and the channel that wakes who watches it;
 * - `pingup:1:{p}:i:<status>:<business>` and `…:<business>/"<client>"`, messages by when they were first heard of;
 * - `pingup:1:{p}:mt` messages by when they were last touched;
 * - `pingup:1:{p}:s:<attempt>` a send; `:k:<business>/"<key>"` the send that has an idempotency key; `:x:<attempt>` one
 *   that was given up before it was heard of;
 * - `pingup:1:{p}:b:<outcome>:<business>` sends by when they were begun; `:sp` those that are PENDING; `:st` by touch;
 * - `pingup:1:{p}:q:<business>/<sha256>` a quarantined callback; `:qi:<business>` by first receipt; `:qt` by touch;
 * - `pingup:1:{p}:c` what a health check writes.
 */
export const prefixes: readonly string[] = tags.map((tag) => `pingup:1:{${tag}}:`);

/** The beginning of the keys of a partition. */
export function prefixOf(partition: number): string {
  return prefixes[partition] ?? '';
}

/** A text as part of a key: another one for each text, also for one that is no well-formed Unicode. */
export function keyPart(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Undoes `keyPart`. */
export function textOfKeyPart(part: string): string {
  return JSON.parse(`"${part}"`);
}

/** Where a message is. */
export interface Place {
  readonly partition: number;
  /** `<business>/<id>`, as keys have it. */
  readonly member: string;
  /** The key of its record, and the channel of its wake-ups. */
  readonly key: string;
}

export function placeOfMessage({ business, id }: MessageKey): Place {
  const member = `${keyPart(business)}/${keyPart(id)}`;
  const partition = partitionOf(member);
  return { partition, member, key: `${prefixOf(partition)}m:${member}` };
}

/** Undoes `placeOfMessage` for its `member`. */
export function messageKeyOf(member: string): MessageKey {
  const slash = member.indexOf('/');
  return { business: textOfKeyPart(member.slice(0, slash)), id: textOfKeyPart(member.slice(slash + 1)) };
}
