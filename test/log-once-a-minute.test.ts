import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createMinuteLog, maxKeys } from '../src/log-once-a-minute.ts';

function record() {
  const lines: { readonly key?: string; readonly suppressed: number }[] = [];
  const clock = { now: 0 };
  const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
  return { lines, clock, logOnce: createMinuteLog(log, () => clock.now) };
}

test('of each key a line comes at once, and then one a minute with how many were left out', () => {
  const { lines, clock, logOnce } = record();
  for (clock.now = 0; clock.now < 150_000; clock.now += 1_000) {
    logOnce('a', { key: 'a' }, 'something suspicious');
    if (clock.now === 10_000) logOnce('b', { key: 'b' }, 'something else');
  }
  expect(lines).toMatchObject([
    { key: 'a', suppressed: 0, level: 40, msg: 'something suspicious' },
    { key: 'b', suppressed: 0, msg: 'something else' },
    { key: 'a', suppressed: 59 },
    { key: 'a', suppressed: 59 },
  ]);
});

test('whoever invents keys gets a bounded number of lines a minute', () => {
  const { lines, clock, logOnce } = record();
  for (let n = 0; n < 10_000; n += 1) logOnce(`key-${n}`, {}, 'something suspicious');
  expect(lines).toHaveLength(maxKeys + 1);
  clock.now = 60_000;
  logOnce('another', {}, 'something suspicious');
  expect(lines.at(-1)).toMatchObject({ suppressed: 10_000 - maxKeys - 1 });
});
