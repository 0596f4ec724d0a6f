import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ClockState, waitAt } from '../../src/store/clock-wait.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.UTC(2026, 0, 1);

/** A store that is written at these instants, one after the other. */
function writeAt(
  instants: readonly number[],
  from: ClockState = { lastWrite: start, waitsUntil: null },
): ClockState {
  return instants.reduce<ClockState>(
    (state, now) => ({ lastWrite: now, waitsUntil: waitAt(now, state) }),
    from,
  );
}

/** Each minute up to an instant, as a gateway writes that is served. */
function minutes(from: number, to: number): number[] {
  return Array.from({ length: Math.floor((to - from) / minute) }, (_, index) => from + (index + 1) * minute);
}

test('a new store does not wait, nor one that was away for up to a day', () => {
  expect(waitAt(start, { lastWrite: null, waitsUntil: null })).toBeNull();
  expect(writeAt([start + day]).waitsUntil).toBeNull();
});

test('a clock that is more than a day ahead makes it wait for a day, through all later writes', () => {
  const leapt = start + 31 * day;
  const waiting = writeAt([leapt]);
  expect(waiting.waitsUntil).toBe(leapt + day);
  expect(writeAt(minutes(leapt, leapt + day - minute), waiting).waitsUntil).toBe(leapt + day);
  expect(writeAt(minutes(leapt, leapt + day), waiting).waitsUntil).toBeNull();
});

test('a second leap does not shorten the wait, whatever its length', () => {
  const waiting = writeAt([start + 31 * day]);
  for (const leap of [hour, 23 * hour, day, 3 * day]) {
    const now = start + 31 * day + leap;
    expect(writeAt([now], waiting).waitsUntil).toBe(now + day);
  }
});

test('a clock that is set right again does not wait longer than a day', () => {
  const waiting = writeAt([start + 31 * day]);
  expect(writeAt([start + minute], waiting).waitsUntil).toBe(start + minute + day);
});

test('of any history of the clock, what waits has been served for a day before it expires', () => {
  const moves = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('serve' as const),
          minutes: fc.integer({ min: 1, max: 900 }),
        }),
      },
      fc.record({ kind: fc.constant('leap' as const), minutes: fc.integer({ min: -90_000, max: 90_000 }) }),
    ),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(moves, (all) => {
      let state: ClockState = { lastWrite: start, waitsUntil: null };
      let now = start;
      let served = Number.POSITIVE_INFINITY;
      const step = (elapsed: number, isServed: boolean) => {
        now += elapsed;
        const next = waitAt(now, state);
        if (elapsed > day) served = 0;
        else if (isServed) served += elapsed;
        state = { lastWrite: now, waitsUntil: next };
        // A leap of a few minutes is not told from time that was served.
        if (next === null) expect(served).toBeGreaterThanOrEqual(day - 20 * 10 * minute);
        else expect(next - now).toBeLessThanOrEqual(day);
      };
      for (const move of all) {
        if (move.kind === 'leap') step(move.minutes * minute, false);
        else for (let count = 0; count < move.minutes; count += 1) step(minute, true);
      }
    }),
  );
});
