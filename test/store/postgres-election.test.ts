import { expect, test } from 'vitest';
import type { PostgresHost } from '../../src/postgres-url.ts';
import { type Candidate, electHost, otherPrimaries } from '../../src/store/postgres/election.ts';
import type { Session } from '../../src/store/postgres/session.ts';

const a: PostgresHost = { host: 'a', port: 1 };
const b: PostgresHost = { host: 'b', port: 1 };
const session = {} as Session;
const settings = { fsync: true, fullPageWrites: true, standbys: '' };

/** Timeline 0: a standby. */
function up(host: PostgresHost, timeline: number): Candidate {
  const hello = {
    pid: 1,
    started: '',
    takesWrites: timeline > 0,
    timeline: timeline || null,
    version: 180_000,
    settings,
  };
  return { host, report: { state: 'up', hello, session } };
}

const down = (host: PostgresHost): Candidate => ({ host, report: { state: 'down', reason: null } });
const unknown = (host: PostgresHost): Candidate => ({ host, report: undefined });

test.each([
  ['the one that takes writes', [up(a, 0), up(b, 1)], null, 0, b],
  ['of two that take writes the one with the higher timeline', [up(a, 1), up(b, 2)], a, 1, b],
  ['of two with the same timeline the one in use', [up(a, 1), up(b, 1)], b, 1, b],
  ['none before all were looked at', [up(a, 1), unknown(b)], null, 0, null],
  ['the one in use, though it cannot be reached, while no other takes writes', [down(a), up(b, 0)], a, 1, a],
  ['none if the one in use takes no writes any more', [up(a, 0), up(b, 0)], a, 1, null],
  ['not an old primary that is alone', [up(a, 1), down(b)], b, 2, b],
  ['a single host whatever its timeline is', [up(a, 1)], a, 2, a],
] as const)('it elects %s', (_what, candidates, current, seenTimeline, elected) => {
  expect(electHost(candidates, { current, seenTimeline })).toBe(elected);
});

test('others that take writes are known', () => {
  expect(otherPrimaries([up(a, 1), up(b, 2)], b)).toEqual([a]);
  expect(otherPrimaries([up(a, 0), up(b, 2)], b)).toEqual([]);
});
