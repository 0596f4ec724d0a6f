import { expect, test } from 'vitest';
import { checkPrice } from '../../faults/history/check-price.ts';
import { noOutcomes } from '../../faults/history/outcomes.ts';

const limits = { rightWithinMs: 5_000, answerWithinMs: 3_000, machineCosts: [] };

test('a fault that cost nothing has nothing to answer for', () => {
  expect(checkPrice([], limits, noOutcomes(), 0)).toEqual([]);
});

test('a cost is fine where the fault may have it, and told where it may not', () => {
  const outcomes = noOutcomes();
  outcomes.callbacks.refused = 1;
  outcomes.subscribers.disconnected = 1;
  expect(checkPrice(['refusals', 'sockets'], limits, outcomes, 0)).toEqual([]);
  expect(checkPrice(['refusals'], limits, outcomes, 0)).toEqual([{ kind: 'other cost', what: 'sockets' }]);
  expect(checkPrice(['refusals'], { ...limits, machineCosts: ['sockets'] }, outcomes, 0)).toEqual([]);
});

test('a subscriber that waits too long, and one that waits for ever, are late', () => {
  expect(checkPrice([], limits, noOutcomes(), 5_000)).toEqual([]);
  for (const wait of [5_001, Infinity])
    expect(checkPrice([], limits, noOutcomes(), wait)).toMatchObject([{ kind: 'late' }]);
});

test('a callback that is not answered in time, and an answer that nothing excuses, are told', () => {
  const outcomes = noOutcomes();
  outcomes.callbacks.longestMs = 3_001;
  outcomes.surprises.push('a callback was answered 500');
  expect(checkPrice([], limits, outcomes, 0).map(({ kind }) => kind)).toEqual(['slow answer', 'surprise']);
});
