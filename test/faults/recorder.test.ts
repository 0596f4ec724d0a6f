import { expect, test } from 'vitest';
import type { Sighting } from '../../faults/history/history.ts';
import { createRecorder } from '../../faults/history/recorder.ts';

const sent: Sighting = { revision: 2, status: 'SENT', history: ['ACCEPTED', 'SENT'], subscription: 1, at: 0 };
const read: Sighting = { revision: 3, status: 'READ', history: ['READ'], subscription: 1, at: 0 };

test('a subscriber is behind from the acknowledgement until it sees it', () => {
  const recorder = createRecorder();
  recorder.wanted('m');
  expect(recorder.behind(Infinity)).toBe(0);
  recorder.acknowledged('m', 'SENT');
  expect(recorder.behind(Infinity)).toBe(1);
  recorder.saw('m', sent);
  expect(recorder.behind(Infinity)).toBe(0);
});

test('one that has seen READ is never behind again', () => {
  const recorder = createRecorder();
  recorder.wanted('m');
  recorder.saw('m', read);
  recorder.acknowledged('m', 'DELIVERED');
  expect(recorder.behind(Infinity)).toBe(0);
});

test('what is acknowledged later does not count', () => {
  const recorder = createRecorder();
  recorder.wanted('m');
  recorder.acknowledged('m', 'SENT');
  expect(recorder.behind(Date.now() - 60_000)).toBe(0);
});

test('a message is settled once all is told and seen, whichever comes last', async () => {
  for (const order of [
    ['finished', 'saw'],
    ['saw', 'finished'],
  ] as const) {
    const recorder = createRecorder();
    const steps = { finished: () => recorder.finished('m'), saw: () => recorder.saw('m', sent) };
    const settled = recorder.settled('m').then(() => 'settled');
    recorder.wanted('m');
    recorder.acknowledged('m', 'SENT');
    steps[order[0]]();
    expect(await Promise.race([settled, Promise.resolve('not yet')])).toBe('not yet');
    steps[order[1]]();
    expect(await settled).toBe('settled');
  }
});

test('it keeps all that was told, acknowledged and seen', () => {
  const recorder = createRecorder();
  recorder.took('m', 'text');
  recorder.took('m', 'text');
  recorder.told('m', 'SENT');
  recorder.acknowledged('m', 'SENT');
  recorder.acknowledged('unwatched', 'SENT');
  recorder.wanted('m');
  recorder.saw('m', sent);
  recorder.completed('m');
  const acknowledged = [{ status: 'SENT', at: expect.any(Number) }];
  expect(recorder.textsTaken).toEqual(new Map([['text', 2]]));
  expect(recorder.messages()).toEqual([
    {
      id: 'm',
      told: new Set(['ACCEPTED', 'SENT']),
      acknowledged,
      watch: { since: expect.any(Number), sightings: [sent], completed: true },
    },
    { id: 'unwatched', told: new Set(), acknowledged, watch: null },
  ]);
});
