import { hash } from 'node:crypto';
import type { KeptCallback, QuarantinedCallback, QuarantinePage, QuarantineQuery } from './port.ts';
import { scriptOrder } from './redis-evaluate.ts';
import type { Fleet } from './redis-fleet.ts';
import { keyPart, prefixOf } from './redis-keys.ts';
import { readPage } from './redis-listing.ts';
import { partitionOf } from './redis-partitions.ts';
import { decodeCallback } from './redis-quarantine-record.ts';
import { dropScript, keepScript, pruneQuarantineScript } from './redis-quarantine-scripts.ts';
import { literal } from './redis-send-record.ts';
import { createStamps, stampLength } from './redis-stamps.ts';
import { pruneStep, type Step } from './redis-walk.ts';

/** The id of a callback is its member of the index: a stamp, and the hash of its body. */
export interface Quarantine {
  keep(callback: QuarantinedCallback, until: number): Promise<void>;
  find(business: string, id: string, until: number): Promise<KeptCallback | undefined>;
  drop(business: string, id: string, until: number): Promise<void>;
  list(query: QuarantineQuery, until: number): Promise<QuarantinePage>;
  pruneStep(before: number): Step<string>;
}

const idForm = new RegExp(`^[0-9]{${stampLength}}[A-Za-z0-9_-]{43}$`);

export function quarantineIn(fleet: Fleet, rewrites: boolean): Quarantine {
  const nextStamp = createStamps();

  async function find(business: string, id: string, until: number): Promise<KeptCallback | undefined> {
    if (!idForm.test(id)) return undefined;
    const { partition, keys } = placeOf(business, id.slice(stampLength));
    const record = await fleet.read<string | null>(partition, { command: ['GET', keys[1]] }, until);
    return record === null ? undefined : decodeCallback(id, record);
  }

  return {
    find,
    keep: async ({ business, raw, reason, receivedAt }, until) => {
      const sha = hash('sha256', raw, 'base64url');
      const { partition, prefix, keys } = placeOf(business, sha);
      const args = [
        prefix,
        keyPart(business),
        sha,
        nextStamp(),
        String(receivedAt),
        literal(reason),
        literal(raw),
      ];
      await fleet.write(partition, scriptOrder(keepScript, keys, args), until);
    },
    drop: async (business, id, until) => {
      if (!idForm.test(id)) return;
      const sha = id.slice(stampLength);
      const { partition, prefix, keys } = placeOf(business, sha);
      const args = [prefix, keyPart(business), sha, id.slice(0, stampLength), rewrites ? '1' : '0'];
      await fleet.write(partition, scriptOrder(dropScript, keys, args), until);
    },
    list: async ({ business, first, after }, until) => {
      const indexes = [`qi:${keyPart(business)}`];
      const read = (members: readonly string[]) =>
        Promise.all(members.map((id) => find(business, id, until)));
      const { entries, hasMore } = await readPage(fleet, { kind: 'q', first, after, indexes }, read, until);
      return {
        entries: entries.map(({ cursor, entry: { raw: _raw, ...callback } }) => ({
          cursor,
          callback,
        })),
        hasMore,
      };
    },
    pruneStep: (before) => pruneStep(fleet, pruneQuarantineScript, 'qt', before),
  };
}

function placeOf(business: string, sha: string) {
  const member = `${keyPart(business)}/${sha}`;
  const partition = partitionOf(member);
  const prefix = prefixOf(partition);
  return { partition, prefix, keys: [`${prefix}qt`, `${prefix}q:${member}`] as const };
}
