import { type DeliveryStatus, deliveryStatuses } from '../../src/message.ts';
import type { History, MessageHistory, MessageState, WatchHistory } from './history.ts';

export const violationKinds = [
  'step back',
  'duplicate',
  'contradiction',
  'invented',
  'wrong last state',
  'ended early',
  'lost',
  'sent twice',
] as const;

export type ViolationKind = (typeof violationKinds)[number];

/** A promise that was broken. */
export interface Violation {
  readonly kind: ViolationKind;
  /** Of which message and how, for whoever looks for the reason. */
  readonly what: string;
}

/**
 * All that is wrong with a run that has come to rest:
 * - step back: a subscriber saw a lower revision or status after a higher one, in one subscription or over several;
 * - duplicate: one subscription showed a revision twice;
 * - contradiction: two states with one revision are not the same;
 * - invented: a state has a status that nobody told;
 * - wrong last state: what a subscriber holds is not what a query returns;
 * - ended early: a subscription was completed before READ;
 * - lost: something that was acknowledged is missing from what queries return;
 * - sent twice: Pingup took one text more than once.
 */
export function checkHistory({ messages, textsTaken }: History): Violation[] {
  const repeated = [...textsTaken].filter(([, times]) => times > 1);
  return [
    ...messages.flatMap(checkMessage),
    ...repeated.map(([text, times]) => violation('sent twice', `${text} was taken ${times} times`)),
  ];
}

function checkMessage(message: MessageHistory): Violation[] {
  const { watch } = message;
  const seen = watch ? [...checkOrder(message.id, watch), ...checkLast(message, watch)] : [];
  return [...seen, ...checkStates(message), ...checkKept(message)];
}

function checkOrder(id: string, { sightings }: WatchHistory): Violation[] {
  return sightings.flatMap((after, index) => {
    const before = sightings[index - 1];
    if (!before) return [];
    const what = `${id}: ${describe(before)}, then ${describe(after)}`;
    if (after.revision < before.revision || rankOf(after.status) < rankOf(before.status))
      return [violation('step back', what)];
    const again = after.revision === before.revision && after.subscription === before.subscription;
    return again ? [violation('duplicate', what)] : [];
  });
}

function checkLast({ id, acknowledged, found }: MessageHistory, watch: WatchHistory): Violation[] {
  const last = watch.sightings.at(-1);
  const early = watch.completed && last?.status !== 'READ';
  const holds = `${id}: its subscriber holds ${describe(last)}, a query returns ${describe(found)}`;
  const right = last?.status === 'READ' ? found?.status === 'READ' : last?.revision === found?.revision;
  return [
    ...(early ? [violation('ended early', `${id}: completed at ${describe(last)}`)] : []),
    ...(right || acknowledged.length === 0 ? [] : [violation('wrong last state', holds)]),
  ];
}

/** What was shown of it, by whatever way, agrees with itself and with what was told. */
function checkStates({ id, told, watch, found }: MessageHistory): Violation[] {
  const states: readonly MessageState[] = [...(watch?.sightings ?? []), ...(found ? [found] : [])];
  const byRevision = new Map(states.map((state) => [state.revision, describe(state)]));
  return states.flatMap((state) => {
    const first = byRevision.get(state.revision);
    const shown = describe(state);
    const consistent = furthest(state.history) === state.status && state.history.length === state.revision;
    return [
      ...(state.history.every((status) => told.has(status))
        ? []
        : [violation('invented', `${id}: ${shown}`)]),
      ...(first === shown && consistent ? [] : [violation('contradiction', `${id}: ${first} and ${shown}`)]),
    ];
  });
}

function checkKept({ id, acknowledged, found, listed }: MessageHistory): Violation[] {
  const missing = acknowledged.filter(({ status }) => !found?.history.includes(status));
  const unlisted = acknowledged.length > 0 && !listed;
  return [
    ...missing.map(({ status }) => violation('lost', `${id}: ${status}; a query returns ${describe(found)}`)),
    ...(unlisted ? [violation('lost', `${id}: it is not in the list`)] : []),
  ];
}

function violation(kind: ViolationKind, what: string): Violation {
  return { kind, what };
}

/** Equal for equal states, whatever the order of their history. */
function describe(state: MessageState | null | undefined): string {
  if (!state) return 'nothing';
  return `revision ${state.revision} ${state.status} (${state.history.toSorted().join(' ')})`;
}

function furthest(history: readonly DeliveryStatus[]): DeliveryStatus | undefined {
  return deliveryStatuses.findLast((status) => history.includes(status));
}

function rankOf(status: DeliveryStatus): number {
  return deliveryStatuses.indexOf(status);
}
