import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../faults/history/check-history.ts';
import type { History, MessageHistory, MessageState, Sighting } from '../../faults/history/history.ts';
import { type DeliveryStatus, deliveryStatuses } from '../../src/message.ts';

/** The state of a message of which these statuses are known. */
function stateOf(history: readonly DeliveryStatus[]): MessageState {
  const status = deliveryStatuses.findLast((one) => history.includes(one)) ?? 'ACCEPTED';
  return { revision: history.length, status, history };
}

function sightingOf(history: readonly DeliveryStatus[], subscription: number): Sighting {
  return { ...stateOf(history), subscription, at: 0 };
}

/** A message to which these statuses came in turn, and whose subscriber saw it after so many of them. */
function messageOf(
  statuses: readonly DeliveryStatus[],
  seen: readonly { readonly after: number; readonly subscription: number }[],
): MessageHistory {
  return {
    id: 'm',
    told: new Set(statuses),
    acknowledged: statuses.map((status) => ({ status, at: 0 })),
    watch: {
      since: 0,
      sightings: seen.map(({ after, subscription }) => sightingOf(statuses.slice(0, after), subscription)),
      completed: false,
    },
    found: stateOf(statuses),
    listed: true,
  };
}

/**
 * What a gateway without a fault may show: the statuses in any order, some states skipped, and over any number of
 * subscriptions, each of which begins at the state by then. It ends at the last state, or at READ.
 */
const anyRightMessage: fc.Arbitrary<MessageHistory> = fc
  .record({
    statuses: fc.shuffledSubarray([...deliveryStatuses], { minLength: 1 }),
    skipped: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    comesBack: fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }),
  })
  .map(({ statuses, skipped, comesBack }) => {
    const read = statuses.indexOf('READ') + 1;
    const end = read > 0 ? read : statuses.length;
    let subscription = 1;
    const seen = Array.from({ length: end }, (_, index) => index + 1).flatMap((after) => {
      if (after < end && skipped[after]) return [];
      const first = { after, subscription };
      const again = Array.from({ length: comesBack[after] ?? 0 }, () => ({
        after,
        subscription: ++subscription,
      }));
      return [first, ...again];
    });
    return messageOf(statuses, seen);
  });

function kindsOf(
  messages: readonly MessageHistory[],
  textsTaken: History['textsTaken'] = new Map(),
): string[] {
  return [...new Set(checkHistory({ messages, textsTaken }).map(({ kind }) => kind))];
}

/** The message with other sightings. */
function seeing(
  message: MessageHistory,
  change: (sightings: readonly Sighting[]) => Sighting[],
): MessageHistory {
  const { watch } = message;
  return watch ? { ...message, watch: { ...watch, sightings: change(watch.sightings) } } : message;
}

describe('a run as it should be', () => {
  test('has no violation, whatever the order, the skipped states and the subscriptions', () => {
    fc.assert(
      fc.property(fc.array(anyRightMessage, { maxLength: 5 }), (messages) => {
        expect(checkHistory({ messages, textsTaken: new Map([['text', 1]]) })).toEqual([]);
      }),
    );
  });
});

describe('what breaks a promise is caught, wherever in a run it is', () => {
  /** Breaks any right message in one way, and expects that kind to be found among right ones. */
  function breaks(kind: string, broken: fc.Arbitrary<MessageHistory>): void {
    test(kind, () => {
      fc.assert(
        fc.property(fc.array(anyRightMessage, { maxLength: 3 }), broken, (others, message) => {
          expect(kindsOf([...others, message])).toContain(kind);
          expect(kindsOf([message, ...others])).toContain(kind);
        }),
      );
    });
  }

  const moved = anyRightMessage.filter(({ watch }) => {
    const [first, last] = [watch?.sightings[0], watch?.sightings.at(-1)];
    return first !== undefined && first.revision !== last?.revision;
  });

  breaks(
    'step back',
    fc.tuple(moved, fc.boolean()).map(([message, comesBack]) =>
      seeing(message, (sightings) => {
        const [first, last] = [sightings[0], sightings.at(-1)];
        if (!first || !last) return [];
        return [...sightings, { ...first, subscription: last.subscription + Number(comesBack) }, last];
      }),
    ),
  );
  breaks(
    'duplicate',
    fc.tuple(anyRightMessage, fc.nat()).map(([message, at]) =>
      seeing(message, (sightings) => {
        const index = at % sightings.length;
        return sightings.flatMap((sighting, place) => (place === index ? [sighting, sighting] : [sighting]));
      }),
    ),
  );
  breaks(
    'contradiction',
    anyRightMessage
      .filter(({ found }) => found !== null && found.revision < deliveryStatuses.length)
      .map((message) => {
        const missing = deliveryStatuses.find((status) => !message.told.has(status)) ?? 'READ';
        const [, ...rest] = message.found?.history ?? [];
        return {
          ...seeing(message, (sightings) => [...sightings, sightingOf(message.found?.history ?? [], 99)]),
          told: new Set(deliveryStatuses),
          found: stateOf([missing, ...rest]),
        };
      }),
  );
  breaks(
    'invented',
    anyRightMessage.map((message) => {
      const [first, ...others] = message.found?.history ?? [];
      return first ? { ...message, told: new Set(others) } : message;
    }),
  );
  breaks(
    'wrong last state',
    moved.map((message) =>
      seeing(message, (sightings) => sightings.filter(({ revision }) => revision === sightings[0]?.revision)),
    ),
  );
  breaks(
    'wrong last state',
    anyRightMessage.map((message) => seeing(message, () => [])),
  );
  breaks(
    'ended early',
    anyRightMessage
      .filter(({ found }) => found?.status !== 'READ')
      .map((message) =>
        message.watch ? { ...message, watch: { ...message.watch, completed: true } } : message,
      ),
  );
  breaks(
    'lost',
    fc.tuple(anyRightMessage, fc.nat()).map(([message, at]) => {
      const history = message.found?.history ?? [];
      const kept = history.filter((_, place) => place !== at % history.length);
      return { ...message, found: kept.length > 0 ? stateOf(kept) : null };
    }),
  );
  breaks(
    'lost',
    anyRightMessage.map((message) => ({ ...message, found: null })),
  );
  breaks(
    'lost',
    anyRightMessage.map((message) => ({ ...message, listed: false })),
  );

  test('sent twice', () => {
    expect(kindsOf([], new Map([['text', 2]]))).toEqual(['sent twice']);
  });
});

test('what was never acknowledged may be missing', () => {
  const message = messageOf(['ACCEPTED', 'SENT'], []);
  expect(kindsOf([{ ...message, acknowledged: [], watch: null, found: null, listed: false }])).toEqual([]);
});

test('a subscriber that has seen READ is right, whatever came after it', () => {
  const message = messageOf(['READ', 'SENT'], [{ after: 1, subscription: 1 }]);
  expect(kindsOf([message])).toEqual([]);
});
