import type { StoreLimits } from '../../store-limits.ts';
import { beginKind } from './begin.ts';
import { checkKind } from './check.ts';
import { tickKind } from './clock.ts';
import { forgetKinds, pruneKinds } from './deleting.ts';
import { cancelKind, lostKind } from './lost.ts';
import { mergeKind } from './merge.ts';
import { keepKind, removeKind } from './quarantine.ts';
import { makeRoomKind } from './room.ts';
import { acceptKind, failKind } from './settle.ts';

/** All that is written. */
export function createKinds(schema: string, limits: StoreLimits, isWatched: (key: string) => boolean) {
  const kinds = {
    begin: beginKind(schema),
    accept: acceptKind(schema, limits.callbackOnlyMessages),
    fail: failKind(schema),
    cancel: cancelKind(schema),
    lost: lostKind(schema),
    remove: removeKind(schema),
    makeRoom: makeRoomKind(schema, limits.callbackOnlyMessages),
    merge: mergeKind(schema, limits.callbackOnlyMessages, isWatched),
    keep: keepKind(schema, limits),
    check: checkKind(schema),
    tick: tickKind(schema),
  };
  const prunes = pruneKinds(schema);
  const forgets = forgetKinds(schema);
  const { begin, accept, fail, cancel, lost, remove, makeRoom, merge, keep, check, tick } = kinds;
  const deleting = [
    ...Object.values(prunes),
    ...Object.values(forgets).flatMap((tables) => Object.values(tables)),
  ];
  return {
    ...kinds,
    prunes,
    forgets,
    /** In a transaction they follow each other so: what is deleted may come back. */
    inOrder: [begin, accept, fail, cancel, lost, remove, makeRoom, ...deleting, merge, keep, check, tick],
  };
}

export type Kinds = ReturnType<typeof createKinds>;
