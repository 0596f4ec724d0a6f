import { expect, test } from 'vitest';
import type { Sighting } from '../../faults/history/history.ts';
import { longestWait } from '../../faults/history/longest-wait.ts';
import type { Recorded } from '../../faults/history/recorder.ts';

function seenAt(at: number): Sighting {
  return { revision: 2, status: 'SENT', history: ['ACCEPTED', 'SENT'], subscription: 1, at };
}

/** A message whose SENT was acknowledged at 1,000 ms. */
function recorded(sightings: readonly Sighting[], since = 0): Recorded {
  return {
    id: 'm',
    told: new Set(['SENT']),
    acknowledged: [{ status: 'SENT', at: 1_000 }],
    watch: { since, sightings, completed: false },
  };
}

test('a wait begins when something is acknowledged, and ends when it is seen', () => {
  expect(longestWait([recorded([seenAt(1_200)]), recorded([seenAt(1_050)])], [])).toBe(200);
});

test('it begins when the subscriber asks, where that is later', () => {
  expect(longestWait([recorded([seenAt(5_000)], 4_900)], [])).toBe(100);
});

test('it begins when the last outage before its end is over', () => {
  const outages = [
    { from: 900, to: 3_000 },
    { from: 5_000, to: 6_000 },
  ];
  expect(longestWait([recorded([seenAt(3_400)])], outages)).toBe(400);
});

test('what is seen during an outage was not waited for', () => {
  expect(longestWait([recorded([seenAt(2_000)])], [{ from: 900, to: 3_000 }])).toBe(0);
});

test('an outage that began after it was seen excuses nothing', () => {
  expect(longestWait([recorded([seenAt(2_000)])], [{ from: 2_500, to: 3_000 }])).toBe(1_000);
});

test('what is never seen is waited for without end', () => {
  expect(longestWait([recorded([])], [])).toBe(Infinity);
});

test('what was never watched is not waited for', () => {
  expect(longestWait([{ ...recorded([]), watch: null }], [])).toBe(0);
});

test('waits that were over before an instant do not count', () => {
  expect(longestWait([recorded([seenAt(1_200)])], [], 1_300)).toBe(0);
});
